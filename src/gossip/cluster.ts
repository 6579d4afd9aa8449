import type { IpAddress } from "../core/index.ts";

/** What membership tells of one node of the cluster. */
export interface Member {
  /** Unique in the cluster; chosen by the node's operator. */
  readonly name: string;
  readonly address: IpAddress;
  /** UDP and TCP. */
  readonly port: number;
  /** What the node's own delegate wants known of it; at most 512 bytes. */
  readonly meta: Uint8Array;
  readonly state: MemberState;
}

/** As memberlist numbers them on the wire: 0 to 3, in this order. */
export type MemberState = "alive" | "suspect" | "dead" | "left";

/**
 * Membership as the layers above it use it (the network database, Serf's layer). Implemented by
 * src/gossip/membership and, for tests of one layer alone, by a fake.
 */
export interface Cluster {
  /** This node's name. */
  readonly self: string;
  /** Every member that is alive or suspect, this node too. */
  members(): readonly Member[];
  member(name: string): Member | undefined;
  /** One user message in a packet; may be lost. Longer than the packet budget: throws InvalidParameter. */
  sendPacket(to: Member, message: Uint8Array): void;
  /** One user message over TCP; rejects when the peer cannot be reached within the TCP timeout. */
  sendReliable(to: Member, message: Uint8Array): Promise<void>;
}

/** What a layer above answers when membership asks, and hears (memberlist's Delegate and EventDelegate). */
export interface ClusterDelegate {
  /** Sent with this node's alive messages; at most `limit` bytes. */
  meta(limit: number): Uint8Array;
  /** A user message came, by packet or by stream. `bytes` is valid during the call alone. */
  received(bytes: Uint8Array): void;
  /** User messages to fill a packet's rest: in all at most `limit` bytes, each counted with `overhead` more. */
  broadcasts(overhead: number, limit: number): readonly Uint8Array[];
  /** This layer's part of a push/pull exchange; `join` when a node is joining by it. */
  localState(join: boolean): Uint8Array;
  /** The other side's part of it. */
  mergeState(bytes: Uint8Array, join: boolean): void;
  /** Somebody else is there, for the first time or again. */
  joined(member: Member): void;
  /** Dead or left, as `member.state` says. */
  gone(member: Member): void;
  /** Its meta or its address changed. */
  updated(member: Member): void;
}
