import { WeftError } from "../../core/index.ts";
import type { IpvlanSpec, MacvlanSpec } from "../../kernel/index.ts";
import type { DriverNetwork } from "../contract.ts";
import { interfacePrefixOption, mtuOption, refuseUnknownOptions } from "../options.ts";
import type { ParentUse } from "./answer.ts";

/** The options that macvlan and ipvlan networks have in common; the reference's names (LN §1.5, §1.6). */
const parentOption = {
  parent: "parent",
  mtu: "com.docker.network.driver.mtu",
  interfacePrefix: "com.docker.network.container_iface_prefix",
} as const;

/** Those options, read and checked. */
export interface ParentOptions {
  /** The link to build on, as the user names it; absent for a network that leads nowhere. */
  readonly parent: string | undefined;
  /** Bytes; the parent's without. */
  readonly mtu: number | undefined;
  /** Prefix of the interfaces' names in sandboxes. */
  readonly interfacePrefix: string;
}

/** What a driver makes of its own options: what each endpoint of the network is. */
export interface EndpointKind {
  readonly use: ParentUse;
  /** The link of an endpoint on a parent of that name. */
  readonly spec: (parent: string) => MacvlanSpec | IpvlanSpec;
  /** Endpoints have MAC addresses of their own; else they have their parent's. */
  readonly ownMac: boolean;
  /** Endpoints take part in ARP and neighbour discovery on the wire; else packets are led to them by address alone. */
  readonly onWire: boolean;
  /** How many endpoints there can be at a time; any number without. */
  readonly limit?: number | undefined;
}

/** Reads what both drivers have; `own` are the names of the options of one. Throws UNKNOWN_OPTION, INVALID_OPTION. */
export function parseParentOptions(
  driver: string,
  { options, ipv4, ipv6 }: Pick<DriverNetwork, "options" | "ipv4" | "ipv6">,
  own: readonly string[],
): ParentOptions {
  refuseUnknownOptions(driver, options, [...Object.values(parentOption), ...own]);
  if (!ipv4 && !ipv6) throw new WeftError("INVALID_OPTION", "IPv4 or IPv6 must be enabled");
  const parent = options[parentOption.parent] ?? "";
  return {
    parent: parent === "" ? undefined : parent,
    mtu: mtuOption(options, parentOption.mtu, ipv6),
    interfacePrefix: interfacePrefixOption(options, parentOption.interfacePrefix),
  };
}
