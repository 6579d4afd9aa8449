import type { IpAddress, MacAddress } from "../core/index.ts";
import type { NetnsRef } from "./netns-ref.ts";

/**
 * Something that happens rather than is. It runs once after the change it hangs on, may run again, and
 * its failure is told but undoes nothing.
 */
export type Effect = AnnounceEffect;

/**
 * Tells neighbours who has an address now: gratuitous ARP (RFC 5227 §3) or an unsolicited neighbour
 * advertisement (RFC 4861 §7.2.6), so that what they cached for its former holder is overwritten.
 */
export interface AnnounceEffect {
  readonly effect: "announce";
  readonly netns: NetnsRef;
  readonly link: string;
  readonly mac: MacAddress;
  readonly addresses: readonly IpAddress[];
}
