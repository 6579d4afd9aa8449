import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a virtual machine runs on, where its network is known to be particular about who sends. */
export const platforms = [
  "Amazon EC2",
  "Google Compute Engine",
  "Microsoft Azure",
  "Hyper-V",
  "DigitalOcean",
  "OpenStack",
  "Oracle Cloud",
  "Alibaba Cloud",
  "Hetzner Cloud",
  "VMware",
  "VirtualBox",
] as const;

/** The name of one of {@link platforms}. */
export type Platform = (typeof platforms)[number];

/** Where the kernel shows what the firmware says of the machine (SMBIOS, DSP0134). */
const dmiFolder = "/sys/class/dmi/id";

/** The texts of SMBIOS that tell platforms apart. */
type Dmi = Readonly<Record<"sys_vendor" | "product_name" | "bios_version" | "chassis_asset_tag", string>>;

/** Azure's own chassis; other machines of Hyper-V have another or none. */
const azureChassis = "7783-7084-3265-9085-8269-3286-77";

/** How each is known, the more particular before those that share a vendor with it. The texts are those that cloud-init goes by too. */
const signs: readonly (readonly [Platform, (dmi: Dmi) => boolean])[] = [
  [
    "Amazon EC2",
    ({ sys_vendor, bios_version }) => sys_vendor === "Amazon EC2" || bios_version.includes("amazon"),
  ],
  ["Google Compute Engine", ({ product_name }) => product_name === "Google Compute Engine"],
  ["Microsoft Azure", ({ chassis_asset_tag }) => chassis_asset_tag === azureChassis],
  [
    "Hyper-V",
    ({ sys_vendor, product_name }) =>
      sys_vendor === "Microsoft Corporation" && product_name === "Virtual Machine",
  ],
  ["DigitalOcean", ({ sys_vendor }) => sys_vendor === "DigitalOcean"],
  ["Oracle Cloud", ({ chassis_asset_tag }) => chassis_asset_tag === "OracleCloud.com"],
  ["Alibaba Cloud", ({ sys_vendor }) => sys_vendor === "Alibaba Cloud"],
  ["Hetzner Cloud", ({ sys_vendor }) => sys_vendor === "Hetzner"],
  [
    "OpenStack",
    ({ sys_vendor, product_name, chassis_asset_tag }) =>
      sys_vendor === "OpenStack Foundation" ||
      product_name.startsWith("OpenStack ") ||
      chassis_asset_tag.startsWith("OpenStack "),
  ],
  ["VMware", ({ sys_vendor }) => sys_vendor === "VMware, Inc."],
  ["VirtualBox", ({ product_name }) => product_name === "VirtualBox"],
];

/** What this machine runs on; undefined for hardware, and for what is not known. `folder` has the files of {@link dmiFolder}. */
export function readPlatform(folder: string = dmiFolder): Platform | undefined {
  const dmi: Dmi = {
    sys_vendor: textOf(folder, "sys_vendor"),
    product_name: textOf(folder, "product_name"),
    bios_version: textOf(folder, "bios_version"),
    chassis_asset_tag: textOf(folder, "chassis_asset_tag"),
  };
  return signs.find(([, isSo]) => isSo(dmi))?.[0];
}

/** Empty for what the firmware does not say, and on machines without SMBIOS. */
function textOf(folder: string, file: keyof Dmi): string {
  try {
    return readFileSync(join(folder, file), "utf8").trim();
  } catch {
    return "";
  }
}
