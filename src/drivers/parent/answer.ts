import type { InterfaceAddress } from "../../core/index.ts";
import type { HostLink, HostVlan } from "../../facts/index.ts";

/**
 * The link of the host that a network is built on, as it was found; kept in the network's record. `mtu` is
 * in bytes: what the link has, which no link on it can exceed.
 */
export type ParentAnswer = MadeParent | AdoptedParent | DummyParent;

/** A VLAN sub-interface that weft makes, and removes with the last of its networks. */
export interface MadeParent {
  readonly origin: "made";
  readonly link: string;
  /** That of the link below, which the sub-interface is given too. */
  readonly mtu: number;
  readonly vlan: { readonly parent: string; readonly id: number };
  /** False when the kernel runs without IPv6. */
  readonly ipv6Available: boolean;
}

/** A link that is somebody else's: it is used, and never changed or deleted. */
export interface AdoptedParent {
  readonly origin: "adopted";
  readonly link: string;
  readonly mtu: number;
  /** For a VLAN sub-interface that a person made. */
  readonly vlan?: HostVlan | undefined;
}

/** A link that leads nowhere, of one network that is to have no way out. */
export interface DummyParent {
  readonly origin: "dummy";
  readonly link: string;
  readonly mtu: number;
  readonly ipv6Available: boolean;
}

/** What of a network takes in the frames that come to its parent. The kernel lets a link have one taker. */
export type ParentUse = "macvlan" | "macvlan passthru" | "ipvlan" | "bridge port";

/** A network that is built on a link of the host, or is on its way out and still is. */
export interface ParentUser {
  /** Its name. */
  readonly network: string;
  readonly use: ParentUse;
  readonly parent: ParentAnswer;
}

/** What has to be known about the host before a network is built on one of its links. */
export interface ParentFacts {
  /** The host's link of that name; undefined when there is none. */
  link(name: string): HostLink | undefined;
  /** Links of the host's namespace that are built on that one. */
  linksOn(name: string): readonly HostLink[];
  /** The addresses of a link of the host, but for IPv6's link-local ones. */
  addressesOn(link: string): readonly InterfaceAddress[];
  /** The module that brings a feature which this kernel lacks; undefined when it offers it. */
  missingModule(feature: "802.1Q" | "dummy" | "macvlan" | "ipvlan" | "nftables bridge"): string | undefined;
  /** False when the kernel runs without IPv6. */
  ipv6Available(): boolean;
  /** A link can say how its routers' default routes rank behind others (ra_defrtr_metric, Linux 5.12). */
  ranksAdvertisedRoutes(): boolean;
  /** Networks of all drivers that are built on links of the host. */
  users(): readonly ParentUser[];
}
