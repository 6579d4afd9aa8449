import type { Family, InterfaceAddress, IpAddress, Prefix } from "../core/index.ts";
import type { AddressGuard, AddressQuestion, HeldAddress } from "../kernel/index.ts";
import type { Feature, FeatureName } from "./feature.ts";
import type { ForeignChain } from "./foreign-chains.ts";
import type { HostLink } from "./host-link.ts";
import type { HostChange } from "./host-watch.ts";
import type { Platform } from "./platform.ts";
import type { WireLink } from "./wire-link.ts";

/** What is found about the host, read when it is asked for. Facts go into records; plans never ask. */
export interface HostFacts {
  /** Whether tables of iptables-legacy are in use, which nftables does not see. */
  usesLegacyIptables(): boolean;
  /** The kind of the link of that name: IFLA_INFO_KIND, "device" for one without. Undefined when there is none. */
  linkKind(name: string): string | undefined;
  /** The link of that name; undefined when there is none. */
  link(name: string): HostLink | undefined;
  /** {@link link}, with what matters to frames that leave by it; undefined when there is none. Throws KernelError. */
  wireLink(name: string): WireLink | undefined;
  /** Links of hardware that are up and Ethernet's: those that a network could have for its parent. */
  hardwareLinks(): readonly string[];
  /** What this machine runs on, if that is known to be particular about who sends. */
  platform(): Platform | undefined;
  /**
   * Those of the addresses that somebody else on the link has, or is about to take; none on a link that is not
   * there, down, without a carrier or not of Ethernet, at once. Rejects with ABORTED and KernelError.
   */
  heldAddresses(link: string, question: AddressQuestion): Promise<readonly HeldAddress[]>;
  /**
   * Stands up for addresses that {@link heldAddresses} found free, until a sandbox's interface does. Whoever asks for
   * it ends it. Throws KernelError.
   */
  guardAddresses(link: string, question: Pick<AddressQuestion, "addresses" | "ours">): AddressGuard;
  /** Links of the host's namespace that are built on the one of that name: VLAN sub-interfaces, macvlans, ipvlans. */
  linksOn(name: string): readonly HostLink[];
  /** Prefixes that IPv4 routes say are on a link of the host: a pool there would cut the host off from them. */
  onLinkPrefixes(): readonly Prefix[];
  /** The host's bridges that have a port and are not weft's: those without wait for somebody's containers. */
  bridgesInUse(): readonly string[];
  /** Those ports of the host's bridge of that name that are links of others, sorted; none where there is no such bridge. */
  underlayPorts(bridge: string): readonly string[];
  /** Links of the host, weft's too, on which there is no IPv6 since their MTU is below {@link leastMtu}; sorted. */
  smallLinks(): readonly string[];
  /** The addresses of the host's link of that name, but for IPv6's link-local ones; none where there is no such link. */
  addressesOn(link: string): readonly InterfaceAddress[];
  /** Links whose IPv6 default route was learned from a router advertisement. */
  linksWithAdvertisedRoute(): readonly string[];
  /** Other people's chains that judge what this host forwards. */
  foreignForwardChains(): readonly ForeignChain[];
  /** What tells the namespace at a path from every other, also of the machine's former boots. Throws KernelError when there is none. */
  netnsIdentity(path: string): string;
  /** The value of a sysctl, `net/ipv4/ip_forward`; undefined when this kernel has none of that name. */
  sysctl(key: string): string | undefined;
  /** Links that are not weft's, nor lo, of which `net/ipvN/conf/LINK/KEY` is not 0, sorted. */
  linksWith(family: Family, key: "forwarding" | "force_forwarding"): readonly string[];
  /** The host's resolv.conf as text; empty when there is none. */
  resolvConf(): string;
  /** Tells what the host's resolv.conf says whenever it says something else; until the returned function is called. */
  followResolvConf(listener: (text: string) => void): () => void;
  /**
   * Tells what others change of the host, from now on, until the returned function is called. Throws
   * KernelError.
   */
  followHost(listener: (change: HostChange) => void): () => unknown;
  /** What this kernel offers. */
  features(): readonly Feature[];
  /** The feature of that name when this kernel lacks it, to say what module brings it; undefined when it offers it. */
  missingFeature(name: FeatureName): Feature | undefined;
  /** Lets go of sockets. */
  close(): void;
}

/** Whether the host forwards packets of the family now. */
export function isForwarding(facts: Pick<HostFacts, "sysctl">, family: Family): boolean {
  const value = facts.sysctl(family === 4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding");
  return value !== undefined && value !== "0";
}

/** The name servers of the host as prefixes of one address each: a pool must not cover them. */
export function nameserverPrefixes(nameservers: readonly IpAddress[]): readonly Prefix[] {
  return nameservers.map((address) => `${address}/${address.includes(":") ? 128 : 32}` as Prefix); // a whole address has no host bits
}
