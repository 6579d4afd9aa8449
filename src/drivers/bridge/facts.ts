import type { Family } from "../../core/index.ts";
import type { DriverNetwork } from "../contract.ts";
import type { ParentAnswer, ParentFacts } from "../parent/index.ts";

/** What the bridge driver has to know about the host before it plans a network. */
export interface BridgeFacts {
  /** The kind of the host's link of that name (IFLA_INFO_KIND, or "device" for hardware); undefined when there is none. */
  linkKind(name: string): string | undefined;
  /** Whether the host as a whole forwarded packets of the family before weft ever touched that. */
  forwardedBefore(family: Family): boolean;
  /**
   * Where it did not, the links of others that `forwarding` was on for, and `default` if it was for links to come:
   * Linux writes it on all of them together with the host's.
   */
  forwardingLinks(family: Family): readonly string[];
  /** Links from which IPv6 is forwarded even by a host that does not (`force_forwarding`, Linux 6.17). */
  forcedLinks(): readonly string[];
  /** The host's bridges with ports that are not weft's. */
  bridgesInUse(): readonly string[];
  /** Those ports of the host's bridge of that name that are links of others, sorted; none where there is no such bridge. */
  underlayPorts(bridge: string): readonly string[];
  /** Links of the host on which there is no IPv6, nor settings of it, since their MTU is too small. */
  smallLinks(): readonly string[];
  /** Links whose IPv6 default route was learned from router advertisements: forwarding would end that. */
  linksWithAdvertisedRoute(): readonly string[];
  /** False when the kernel runs without IPv6. */
  ipv6Available(): boolean;
  /** What has to be known of a link before it becomes a port of a network's bridge. */
  readonly parents: ParentFacts;
}

/** The facts that a bridge network's plans rely on, as its record keeps them. */
export interface BridgeAnswer extends Readonly<Record<string, unknown>> {
  /** The name of the bridge. */
  readonly bridge: string;
  /** The bridge was there before the network; it is used and never deleted. */
  readonly adopted: boolean;
  readonly ipv6Available: boolean;
  readonly forwardedBefore: Readonly<Record<Family, boolean>>;
  /** {@link BridgeFacts.forwardingLinks}. Not in records of former versions. */
  readonly forwardingLinks?: Readonly<Record<Family, readonly string[]>>;
  /** {@link BridgeFacts.forcedLinks}. Not in records of former versions. */
  readonly forcedLinks?: readonly string[];
  readonly advertisedLinks: readonly string[];
  /**
   * Bridges that were in use when weft made the host forward: the host's own way out may be one. It was no
   * router for them, and is none now; a bridge that comes later comes with somebody who wants it forwarded.
   */
  readonly guardedBridges: readonly string[];
  /** Ports of the bridge that lead to the underlay, whoever put them there, sorted. Not in records of former versions. */
  readonly underlayPorts?: readonly string[];
  /** The one of them that weft puts there, and takes out again. */
  readonly parent?: ParentAnswer;
  /**
   * Those of the links that the network wants settings of IPv6 on, and gives no MTU, where there are none now; sorted.
   * Absent for none.
   */
  readonly smallLinks?: readonly string[];
}

/** The answer that the driver gave when it made the network. */
export function bridgeAnswerOf(network: Pick<DriverNetwork, "answer">): BridgeAnswer {
  return network.answer as BridgeAnswer; // BridgeDriver.createNetwork wrote it, and records keep it as it was
}
