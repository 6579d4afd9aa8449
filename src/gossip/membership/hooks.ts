import type { Member } from "../cluster.ts";

/** What the layer above may say and hear besides {@link ClusterDelegate}; memberlist's lesser delegates. */
export interface MembershipHooks {
  /** Another node claims the name of `existing` from another address; the claim was dropped. */
  readonly conflict?: (existing: Member, other: Member) => void;
  /** What this node's acks carry, at most 1,024 bytes. */
  readonly ackPayload?: () => Uint8Array;
  /** A member answered a probe after `roundTrip` ms. */
  readonly pinged?: (member: Member, roundTrip: number, payload: Uint8Array) => void;
  /** Says why a member that is alive must not be taken in; undefined when it may. */
  readonly refuseAlive?: (member: Member) => string | undefined;
  /** Says why a cluster of these must not be merged with when somebody joins; undefined when it may. */
  readonly refuseMerge?: (members: readonly Member[]) => string | undefined;
}
