import type { Family, IpAddress, MacAddress } from "../core/index.ts";
import type { NetnsRef } from "./netns-ref.ts";

/**
 * Something that happens rather than is. It runs once after the change it hangs on, may run again, and
 * its failure is told but undoes nothing.
 */
export type Effect = AnnounceEffect | ForgetFlowsEffect;

/**
 * Tells neighbours who has an address now: gratuitous ARP (RFC 5227 §3) or an unsolicited neighbour
 * advertisement (RFC 4861 §7.2.6), so that what they cached for its former holder is overwritten.
 */
export interface AnnounceEffect {
  readonly effect: "announce";
  readonly netns: NetnsRef;
  readonly link: string;
  /** The link's own without. */
  readonly mac?: MacAddress | undefined;
  readonly addresses: readonly IpAddress[];
}

/**
 * Makes the kernel forget the flows that match all that is given, so that their next packet is judged and
 * translated anew: UDP above all, whose flows outlive what they led to.
 */
export interface ForgetFlowsEffect {
  readonly effect: "forget-flows";
  /** The namespace whose flows, the one that translates. */
  readonly netns: NetnsRef;
  readonly family: Family;
  /** IPPROTO_TCP, IPPROTO_UDP or IPPROTO_SCTP; any protocol when absent. */
  readonly protocol?: 6 | 17 | 132 | undefined;
  /** Who began it, before any translation: of what leaves a sandbox, the sandbox's address. */
  readonly originalSource?: IpAddress | undefined;
  /** Where clients send to, before any translation. */
  readonly originalAddress?: IpAddress | undefined;
  readonly originalPort?: number | undefined;
  /** Who answers: behind DNAT the sandbox's address. */
  readonly replySource?: IpAddress | undefined;
}
