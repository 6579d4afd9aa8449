import {
  familyOf,
  type InterfaceAddress,
  interfaceAddress,
  isLinkLocal,
  isWeftError,
  parseAddress,
  WeftError,
} from "../core/index.ts";
import type { Driver } from "../drivers/index.ts";
import { identityOf, type KernelObject } from "../kernel/index.ts";
import type { Wanted } from "../plan/index.ts";
import { checkInterfaceName } from "./names.ts";
import type { EndpointRecord, NetworkRecord } from "./records.ts";
import { endpointOption, interfaceSysctls } from "./sysctl-options.ts";
import type { Tables } from "./tables.ts";

/**
 * Checks the options that every driver's endpoints have; others are left to drivers that do their work
 * elsewhere. Throws INVALID_OPTION, INVALID_NAME, UNKNOWN_OPTION.
 */
export function checkEndpointOptions(
  { name, capabilities }: Pick<Driver, "name" | "capabilities">,
  options: Readonly<Record<string, string>>,
): void {
  const known: readonly string[] = Object.values(endpointOption);
  const unknown = Object.keys(options).find((option) => !known.includes(option));
  if (unknown !== undefined && !capabilities.imperative) {
    throw new WeftError(
      "UNKNOWN_OPTION",
      `unknown option ${JSON.stringify(unknown)} for an endpoint of driver ${name}: it knows ${known.join(", ")}`,
    );
  }
  const { [endpointOption.ifname]: ifname, [endpointOption.sysctls]: sysctls } = options;
  const given = ifname !== undefined || sysctls !== undefined;
  if (given && !capabilities.needsAddresses) {
    const option = ifname === undefined ? endpointOption.sysctls : endpointOption.ifname;
    throw new WeftError(
      "INVALID_OPTION",
      `invalid option ${option}: an endpoint of driver ${name} has no interface of its own`,
    );
  }
  if (ifname !== undefined) checkInterfaceName(ifname);
  interfaceSysctls(sysctls ?? "");
}

/** The lengths of the link-local prefixes (LN §1.8), bits. */
const linkLocalLength = { 4: 16, 6: 64 } as const;

/**
 * The link-local addresses that an endpoint is to have besides. Throws INVALID_ADDRESS, INVALID_OPTION, and
 * ADDRESS_IN_USE when another endpoint of the network has one of them.
 */
export function linkLocalAddresses(
  tables: Tables,
  network: NetworkRecord,
  wanted: readonly string[],
): readonly InterfaceAddress[] {
  const addresses = wanted.map((text) => linkLocal(text, network));
  if (addresses.length === 0) return addresses;
  if (new Set(addresses).size < addresses.length) throw inUse();
  for (const id of tables.endpointsOf(network.id).values()) {
    const others = tables.endpoints.get(id)?.linkLocal ?? [];
    if (others.some((address) => addresses.includes(address))) throw inUse();
  }
  return addresses;
}

function linkLocal(text: string, network: NetworkRecord): InterfaceAddress {
  const refuse = (why: string) =>
    new WeftError("INVALID_OPTION", `invalid link local IP address ${JSON.stringify(text)}: ${why}`);
  const should = "it should be of 169.254.0.0/16 or fe80::/64";
  try {
    const address = parseAddress(text);
    const family = familyOf(address);
    if (!isLinkLocal(address)) throw refuse(should);
    if (family === 6 ? !network.ipv6 : !network.ipv4 && !network.ipv6)
      throw refuse(`network ${network.name} has no IPv${family}`);
    return interfaceAddress(address, linkLocalLength[family]);
  } catch (error) {
    if (isWeftError(error, "INVALID_ADDRESS")) throw refuse(should);
    throw error;
  }
}

function inUse(): WeftError {
  return new WeftError("ADDRESS_IN_USE", "Address already in use");
}

/**
 * What an endpoint's options add to its driver's plan for the interface, which has what they say in the place
 * of the driver's own.
 */
export function withEndpointOptions(
  plan: readonly Wanted[],
  { options, linkLocal: addresses = [] }: Pick<EndpointRecord, "options" | "linkLocal">,
  netns: string,
  link: string,
): readonly Wanted[] {
  const sysctls = interfaceSysctls(options[endpointOption.sysctls] ?? "");
  if (addresses.length + sysctls.length === 0) return plan;
  const own = new Map(
    sysctls.map(({ keyFor, value }) => {
      const object: KernelObject = { kind: "sysctl", netns, key: keyFor(link), value, link };
      return [identityOf(object), object];
    }),
  );
  const kept = plan.filter(({ object }) => object.kind === "held" || !own.has(identityOf(object)));
  const local = addresses.map((address): KernelObject => ({ kind: "address", netns, link, address }));
  return [...kept, ...[...own.values(), ...local].map((object) => ({ object }))];
}
