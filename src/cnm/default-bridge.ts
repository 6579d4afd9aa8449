import {
  addressPart,
  type Family,
  familyOf,
  isWeftError,
  parseAddress,
  parseInterfaceAddress,
  parsePrefix,
  networkOf as prefixAround,
  WeftError,
} from "../core/index.ts";
import { bridgeOption } from "../drivers/index.ts";
import type { SubnetConfig } from "../ipam/index.ts";
import type { NetworkOptions } from "./network-options.ts";
import type { BridgeSettings } from "./records.ts";

/** The network `bridge`, by the names that its settings have in Docker's daemon.json (LN §1.4). */
export interface DefaultBridge {
  /** The name of its interface; weft0. */
  readonly bridge?: string;
  /** The bridge's own addresses, with the lengths of their prefixes: 10.5.0.1/24. */
  readonly bip?: string;
  readonly bip6?: string;
  /** The parts of its subnets that sandboxes get addresses from; the subnets themselves without bip and bip6. */
  readonly "fixed-cidr"?: string;
  readonly "fixed-cidr-v6"?: string;
  /** The gateways that sandboxes are told, in place of the bridge. */
  readonly "default-gateway"?: string;
  readonly "default-gateway-v6"?: string;
  /** IPv6 addresses too; false. */
  readonly ipv6?: boolean;
  /** Bytes; the kernel's own default without. */
  readonly mtu?: number;
  /** The host's address to publish ports on; all of them without. */
  readonly ip?: string;
  /** Sandboxes may talk to each other; true. */
  readonly icc?: boolean;
  /** Traffic to the outside leaves by the host's address; true. */
  readonly "ip-masq"?: boolean;
}

const defaultInterface = "weft0";

/** What a setting that is not given comes to, where that is something. */
const defaults: BridgeSettings = {
  bridge: defaultInterface,
  ipv6: false,
  mtu: 0,
  icc: true,
  "ip-masq": true,
};

/** The settings that are not as they would be without; two that are equal make the same bridge. */
export function settingsOf(bridge: DefaultBridge): BridgeSettings {
  const given = Object.entries(bridge).filter(
    ([name, value]) => value !== undefined && value !== defaults[name],
  );
  return Object.fromEntries(given.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What differs, for people: `mtu (1400, was 1500)`. */
export function changedSettings(former: BridgeSettings, wanted: BridgeSettings): readonly string[] {
  const shown = (settings: BridgeSettings, name: string) => {
    const value = settings[name] ?? defaults[name] ?? 0;
    return value === 0 ? "not set" : value;
  };
  const names = [...new Set([...Object.keys(former), ...Object.keys(wanted)])].sort();
  return names
    .filter((name) => former[name] !== wanted[name])
    .map((name) => `${name} (${shown(wanted, name)}, was ${shown(former, name)})`);
}

/** The network that the settings ask for. Throws INVALID_OPTION, naming the setting. */
export function defaultBridgeOptions(bridge: DefaultBridge): NetworkOptions {
  const { ipv6 = false, mtu = 0, icc = true, ip } = bridge;
  const options: Record<string, string> = {
    [bridgeOption.defaultBridge]: "true",
    [bridgeOption.name]: bridge.bridge ?? defaultInterface,
    [bridgeOption.icc]: String(icc),
    [bridgeOption.masquerade]: String(bridge["ip-masq"] ?? true),
  };
  if (mtu !== 0) options[bridgeOption.mtu] = String(mtu);
  if (ip !== undefined) options[bridgeOption.hostBindingIpv4] = ip;
  const ipv4Subnet = subnetOf(bridge, 4);
  const ipv6Subnet = subnetOf(bridge, 6);
  if (ipv6Subnet !== undefined && !ipv6)
    throw new WeftError(
      "INVALID_OPTION",
      "invalid ipv6 false: bip6, fixed-cidr-v6 and default-gateway-v6 need it",
    );
  return { options, ipv6, ipam: { subnets: [ipv4Subnet, ipv6Subnet].filter((one) => one !== undefined) } };
}

const settingNames = {
  4: { address: "bip", range: "fixed-cidr", gateway: "default-gateway", aux: "DefaultGatewayIPv4" },
  6: { address: "bip6", range: "fixed-cidr-v6", gateway: "default-gateway-v6", aux: "DefaultGatewayIPv6" },
} as const;

const examples = {
  4: { address: "10.5.0.1/24", range: "10.5.0.0/24", gateway: "10.5.0.1" },
  6: { address: "fd05::1/64", range: "fd05::/64", gateway: "fd05::1" },
} as const;

/** One subnet as IPAM is asked for it; undefined when its choice is left to IPAM. */
function subnetOf(bridge: DefaultBridge, family: Family): SubnetConfig | undefined {
  const names = settingNames[family];
  const setting = <T extends string>(which: "address" | "range" | "gateway", parse: (text: string) => T) =>
    read(bridge[names[which]], names[which], family, parse, examples[family][which]);
  const address = setting("address", parseInterfaceAddress);
  const range = setting("range", parsePrefix);
  const gateway = setting("gateway", parseAddress);
  const subnet = address === undefined ? range : prefixAround(address);
  if (subnet === undefined) {
    if (gateway === undefined) return undefined;
    const words = `invalid ${names.gateway} ${gateway}: it needs ${names.address} or ${names.range}, in which it lies`;
    throw new WeftError("INVALID_OPTION", words);
  }
  return {
    subnet,
    ...(range === undefined || range === subnet ? {} : { ipRange: range }),
    ...(address === undefined ? {} : { gateway: addressPart(address) }),
    ...(gateway === undefined ? {} : { auxAddresses: { [names.aux]: gateway } }),
  };
}

function read<T extends string>(
  text: string | undefined,
  name: string,
  family: Family,
  parse: (text: string) => T,
  example: string,
): T | undefined {
  if (text === undefined) return undefined;
  try {
    const value = parse(text);
    if (familyOf(value) === family) return value;
  } catch (error) {
    if (!isWeftError(error)) throw error;
  }
  throw new WeftError(
    "INVALID_OPTION",
    `invalid ${name} ${JSON.stringify(text)}: it should be of IPv${family}, as ${example}`,
  );
}
