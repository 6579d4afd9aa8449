import type { GossipLog, Timers } from "../environment.ts";

/** Why news was not taken. */
export const refusals = [
  "malformed",
  "time-absurd",
  "unknown-node",
  "unknown-network",
  "owner-not-attached",
  "owner-failed",
  "too-long",
  "tables-full",
  "networks-full",
  "own-news-flood",
] as const;

/** See {@link refusals}. */
export type Refusal = (typeof refusals)[number];

/** Counts since the start; for metrics and for people. */
export interface NetworkDbCounters {
  /** News of others that changed something here. */
  applied: number;
  /** News that was known. */
  stale: number;
  /** Of two versions with the same time, one was chosen. */
  ties: number;
  /** Times that this node put right what others said of it or of its entries. */
  refuted: number;
  /** Entries and messages that were not taken. */
  readonly refused: Record<Refusal, number>;
  packetsSent: number;
  /** In packets. */
  bytesSent: number;
  /** In bulk syncs, asked for and answered. */
  syncBytesSent: number;
  /** Packets that membership would not send in one piece, and messages that reached no peer. */
  sendFailures: number;
  /** Messages that were dropped from a full queue; a bulk sync brings what they told. */
  queueOverflows: number;
  bulkSyncs: number;
  bulkSyncFailures: number;
}

/** These come by themselves: news overtakes news. They are counted, and not told. */
const ordinary: ReadonlySet<Refusal> = new Set<Refusal>([
  "unknown-node",
  "unknown-network",
  "owner-not-attached",
  "owner-failed",
]);
/** How often the same refusal is told to the log, ms. */
const warnEvery = 10_000;

/** The counters, and what is told of refusals: not more than once in ten seconds of each sort. */
export class Counters implements NetworkDbCounters {
  applied = 0;
  stale = 0;
  ties = 0;
  refuted = 0;
  packetsSent = 0;
  bytesSent = 0;
  syncBytesSent = 0;
  sendFailures = 0;
  queueOverflows = 0;
  bulkSyncs = 0;
  bulkSyncFailures = 0;
  readonly refused = Object.fromEntries(refusals.map((reason) => [reason, 0])) as Record<Refusal, number>; // has every key of the list
  readonly #log: GossipLog;
  readonly #timers: Timers;
  readonly #warned = new Map<Refusal, number>();

  constructor(log: GossipLog, timers: Timers) {
    this.#log = log;
    this.#timers = timers;
  }

  /** Counts a refusal, and tells of it unless it is an ordinary one, or one like it was told just now. */
  refuse(reason: Refusal, facts: Readonly<Record<string, string | number>>): void {
    this.refused[reason]++;
    if (ordinary.has(reason)) return;
    const now = this.#timers.monotonic();
    const last = this.#warned.get(reason);
    if (last !== undefined && now - last < warnEvery) return;
    this.#warned.set(reason, now);
    this.#log.warn("network database: news was refused", {
      reason,
      ...facts,
      refused: this.refused[reason],
    });
  }

  /** The counters as they are now. */
  snapshot(): Readonly<NetworkDbCounters> {
    const { applied, stale, ties, refuted, packetsSent, bytesSent, syncBytesSent } = this;
    const { sendFailures, queueOverflows, bulkSyncs, bulkSyncFailures, refused } = this;
    return {
      applied,
      stale,
      ties,
      refuted,
      refused: { ...refused },
      packetsSent,
      bytesSent,
      syncBytesSent,
      sendFailures,
      queueOverflows,
      bulkSyncs,
      bulkSyncFailures,
    };
  }
}
