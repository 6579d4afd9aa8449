import type { EndpointConfig } from "../../api/index.ts";
import { UsageError } from "../failures.ts";
import { splitAtEquals } from "./key-values.ts";
import { integer } from "./numbers.ts";

/** The options beside `--network` that say how a sandbox is on its first one. */
export interface FirstNetworkOptions {
  readonly ip?: string | undefined;
  readonly ip6?: string | undefined;
  readonly macAddress?: string | undefined;
  readonly networkAlias?: readonly string[] | undefined;
  readonly linkLocalIp?: readonly string[] | undefined;
  readonly link?: readonly string[] | undefined;
}

/** How a sandbox is to be networked: a mode of Docker's, or networks. */
export interface Attachments {
  readonly NetworkMode?: string;
  readonly Networks?: EndpointConfig[];
}

/**
 * What `--network`, given any number of times, and the options for the first network ask for. Throws UsageError in
 * Docker's words where it has some.
 */
export function attachmentsOf(networks: readonly string[], first: FirstNetworkOptions): Attachments {
  const attachments = networks.map(parseNetworkOption);
  const modes = attachments.filter(({ Network }) => isMode(Network));
  if (modes.length > 0 && attachments.length > 1) {
    throw new UsageError(
      `conflicting options: --network ${modes[0]?.Network} cannot be combined with another network`,
    );
  }
  const names = attachments.map(({ Network }) => Network);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new UsageError(`network ${JSON.stringify(twice)} is specified multiple times`);
  const [mode] = modes;
  const own = firstEndpoint(first);
  if (mode === undefined) return withFirst(attachments, own);
  const [option] = [...Object.keys(mode).filter((key) => key !== "Network"), ...Object.keys(own)];
  if (option === undefined) return { NetworkMode: mode.Network };
  throw new UsageError(`conflicting options: ${optionNames[option]} and the network mode ${mode.Network}`);
}

function isMode(network: string): boolean {
  return network === "host" || network === "none" || network.startsWith("container:");
}

function withFirst(attachments: readonly EndpointConfig[], own: Partial<EndpointConfig>): Attachments {
  const [first, ...others] = attachments;
  if (first === undefined) {
    return Object.keys(own).length === 0 ? {} : { Networks: [{ Network: "bridge", ...own }] };
  }
  const twice = Object.keys(own).find((key) => Object.hasOwn(first, key));
  if (twice !== undefined) {
    throw new UsageError(
      `conflicting options: cannot specify both ${optionNames[twice]} and the same of --network ${first.Network}`,
    );
  }
  return { Networks: [{ ...first, ...own }, ...others] };
}

const optionNames: Readonly<Record<string, string>> = {
  IPv4Address: "--ip",
  IPv6Address: "--ip6",
  MacAddress: "--mac-address",
  Aliases: "--network-alias",
  LinkLocalIPs: "--link-local-ip",
  Links: "--link",
  GwPriority: "gw-priority",
  DriverOpts: "driver-opt",
};

function firstEndpoint(first: FirstNetworkOptions): Partial<EndpointConfig> {
  return {
    ...(first.ip !== undefined && { IPv4Address: first.ip }),
    ...(first.ip6 !== undefined && { IPv6Address: first.ip6 }),
    ...(first.macAddress !== undefined && { MacAddress: first.macAddress }),
    ...(first.networkAlias !== undefined && { Aliases: [...first.networkAlias] }),
    ...(first.linkLocalIp !== undefined && { LinkLocalIPs: [...first.linkLocalIp] }),
    ...(first.link !== undefined && { Links: [...first.link] }),
  };
}

/** `NAME`, or Docker's long syntax `name=NAME,alias=A,ip=…`. Throws UsageError. */
export function parseNetworkOption(text: string): EndpointConfig {
  if (!text.includes("=")) return { Network: checkName(text, text) };
  const found: Found = { Network: "" };
  for (const part of text.split(",")) {
    const [key, value] = splitAtEquals(part);
    if (value === undefined)
      throw new UsageError(`invalid field ${JSON.stringify(part)} must be a key=value pair`);
    const set = fields[key.trim().toLowerCase()];
    if (set === undefined) {
      throw new UsageError(
        `--network: invalid field key ${JSON.stringify(key)}: there are ${Object.keys(fields).join(", ")}`,
      );
    }
    set(found, value);
  }
  checkName(found.Network, text);
  return found;
}

function checkName(name: string, text: string): string {
  if (name !== "") return name;
  throw new UsageError(`invalid --network ${JSON.stringify(text)}: network name must be specified`);
}

type Found = { -readonly [K in keyof EndpointConfig]: EndpointConfig[K] };

const fields: Readonly<Record<string, (found: Found, value: string) => void>> = {
  name: (found, value) => {
    found.Network = value;
  },
  alias: (found, value) => {
    found.Aliases = [...(found.Aliases ?? []), value];
  },
  ip: (found, value) => {
    found.IPv4Address = value;
  },
  ip6: (found, value) => {
    found.IPv6Address = value;
  },
  "mac-address": (found, value) => {
    found.MacAddress = value;
  },
  "link-local-ip": (found, value) => {
    found.LinkLocalIPs = [...(found.LinkLocalIPs ?? []), value];
  },
  "driver-opt": (found, value) => {
    const [key, text = ""] = splitAtEquals(value);
    found.DriverOpts = { ...found.DriverOpts, [key]: text };
  },
  "gw-priority": (found, value) => {
    try {
      found.GwPriority = integer(value);
    } catch {
      throw new UsageError(`invalid gw-priority ${JSON.stringify(value)}: it should be a whole number`);
    }
  },
};
