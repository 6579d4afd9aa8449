import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Platform, platforms, readPlatform } from "../../src/facts/index.ts";

/** What files of /sys/class/dmi/id say, as cloud-init's ds-identify, systemd-detect-virt and owners' pages tell. */
const machines: readonly (readonly [
  what: string,
  files: Readonly<Record<string, string>>,
  Platform | undefined,
])[] = [
  ["an EC2 instance of Nitro", { sys_vendor: "Amazon EC2", product_name: "m5.large" }, "Amazon EC2"],
  [
    "an EC2 instance of Xen",
    { sys_vendor: "Xen", product_name: "HVM domU", bios_version: "4.11.amazon" },
    "Amazon EC2",
  ],
  [
    "another domain of Xen",
    { sys_vendor: "Xen", product_name: "HVM domU", bios_version: "4.17.2" },
    undefined,
  ],
  [
    "a GCE instance",
    { sys_vendor: "Google", product_name: "Google Compute Engine" },
    "Google Compute Engine",
  ],
  [
    "an Azure machine",
    {
      sys_vendor: "Microsoft Corporation",
      product_name: "Virtual Machine",
      chassis_asset_tag: "7783-7084-3265-9085-8269-3286-77",
    },
    "Microsoft Azure",
  ],
  [
    "a machine of Hyper-V",
    { sys_vendor: "Microsoft Corporation", product_name: "Virtual Machine", chassis_asset_tag: "1234" },
    "Hyper-V",
  ],
  [
    "a laptop of the same vendor",
    { sys_vendor: "Microsoft Corporation", product_name: "Surface Laptop" },
    undefined,
  ],
  ["a droplet", { sys_vendor: "DigitalOcean", product_name: "Droplet" }, "DigitalOcean"],
  ["OpenStack's Nova", { sys_vendor: "OpenStack Foundation", product_name: "OpenStack Nova" }, "OpenStack"],
  ["Red Hat's OpenStack", { sys_vendor: "Red Hat", product_name: "OpenStack Compute" }, "OpenStack"],
  [
    "an Oracle Cloud instance",
    { sys_vendor: "QEMU", product_name: "Standard PC", chassis_asset_tag: "OracleCloud.com" },
    "Oracle Cloud",
  ],
  [
    "an Alibaba Cloud instance",
    { sys_vendor: "Alibaba Cloud", product_name: "Alibaba Cloud ECS" },
    "Alibaba Cloud",
  ],
  ["a Hetzner Cloud server", { sys_vendor: "Hetzner", product_name: "vServer" }, "Hetzner Cloud"],
  ["VMware", { sys_vendor: "VMware, Inc.", product_name: "VMware20,1" }, "VMware"],
  ["VirtualBox", { sys_vendor: "innotek GmbH", product_name: "VirtualBox" }, "VirtualBox"],
  ["a plain QEMU", { sys_vendor: "QEMU", product_name: "Standard PC (Q35 + ICH9, 2009)" }, undefined],
  ["hardware", { sys_vendor: "Dell Inc.", product_name: "PowerEdge R650" }, undefined],
  ["a machine that says nothing", {}, undefined],
];

for (const [what, files, expected] of machines) {
  test(`${what} is known as ${expected ?? "nothing in particular"}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "weft-dmi-"));
    try {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), `${text}\n`);
      assert.equal(readPlatform(folder), expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test("every platform has a machine in the table, and none is found without SMBIOS", () => {
  const known = new Set(machines.map(([, , platform]) => platform));
  for (const platform of platforms) assert.ok(known.has(platform), platform);
  const folder = mkdtempSync(join(tmpdir(), "weft-dmi-"));
  try {
    assert.equal(readPlatform(join(folder, "none")), undefined);
    mkdirSync(join(folder, "sys_vendor")); // nothing that can be read
    assert.equal(readPlatform(folder), undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
