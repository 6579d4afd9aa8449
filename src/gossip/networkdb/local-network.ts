import { BroadcastQueue } from "./broadcast-queue.ts";
import type { NetworkDbOptions } from "./options.ts";
import { Tables } from "./tables.ts";
import { compoundOverhead, partOverhead } from "./wire/codec.ts";

/** Whose news a message holds: this node's own goes first. */
export type NewsOrigin = "own" | "heard";

/** A network that this node is on: its tables, and what of them is to be gossiped. */
export class LocalNetwork {
  readonly id: string;
  /** When this node last said that it is on it, ms of the monotonic clock. */
  announcedAt: number;
  readonly tables = new Tables();
  readonly own: BroadcastQueue;
  readonly heard: BroadcastQueue;
  /** Messages too long for a packet. */
  readonly long: BroadcastQueue;
  /** Entries were exchanged with at least one other member since this node came. */
  hasSynced = false;
  /** The first exchange is under way: what is heard is not passed on, for it is news to this node alone. */
  isSyncing = false;
  /** What `joinNetwork` answers, while it is under way. */
  joining: Promise<void> = Promise.resolve();
  readonly #longest: number;

  constructor(id: string, now: number, { maxQueued, packetBytes }: NetworkDbOptions) {
    this.id = id;
    this.announcedAt = now;
    this.#longest = packetBytes - compoundOverhead - partOverhead;
    this.own = new BroadcastQueue(maxQueued);
    this.heard = new BroadcastQueue(maxQueued);
    this.long = new BroadcastQueue(maxQueued);
  }

  /** How many messages wait. */
  get queued(): number {
    return this.own.size + this.heard.size + this.long.size;
  }

  /** Queues the news of one key in place of older news of it. False when a queue was full. */
  queue(origin: NewsOrigin, table: string, key: string, message: Uint8Array): boolean {
    const name = `${table}\0${key}`;
    for (const queue of [this.own, this.heard, this.long]) queue.remove(name);
    const queue = message.length > this.#longest ? this.long : origin === "own" ? this.own : this.heard;
    return queue.add(name, message);
  }

  /** What is told to nobody, for there is nobody. */
  dropQueued(): void {
    for (const queue of [this.own, this.heard, this.long]) queue.clear();
  }
}
