import type { ClusterDelegate } from "../cluster.ts";
import type { Dice, GossipLog } from "../environment.ts";
import type { Awareness } from "./awareness.ts";
import type { BroadcastQueue } from "./broadcast-queue.ts";
import type { GossipCounters } from "./counters.ts";
import type { MembershipHooks } from "./hooks.ts";
import type { MemberTable } from "./member-table.ts";
import type { PeerLog } from "./peer-log.ts";
import type { GossipProfile } from "./profile.ts";
import type { TimerGroup } from "./timer-group.ts";
import type { Versions } from "./versions.ts";

/** What the parts of one node share. */
export interface NodeContext {
  readonly self: string;
  readonly profile: GossipProfile;
  readonly versions: Versions;
  readonly timers: TimerGroup;
  readonly dice: Dice;
  readonly log: GossipLog;
  readonly peerLog: PeerLog;
  readonly counters: GossipCounters;
  readonly table: MemberTable;
  readonly queue: BroadcastQueue;
  readonly awareness: Awareness;
  /** Guarded: what it throws is logged and counted. */
  readonly delegate: ClusterDelegate;
  /** Guarded too. */
  readonly hooks: MembershipHooks;
  /** Members beyond this are not taken in. */
  readonly maxMembers: number;
}
