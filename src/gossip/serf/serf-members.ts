import type { Member } from "../cluster.ts";
import type { Timers } from "../environment.ts";
import type { Intent } from "./serf-messages.ts";
import { decodeTags } from "./tags.ts";

/** A member's state in Serf's words. */
export type SerfStatus = "alive" | "leaving" | "left" | "failed";

/** A member as Serf lists it. */
export interface SerfMember {
  readonly member: Member;
  readonly status: SerfStatus;
  readonly tags: ReadonlyMap<string, string>;
}

interface Known extends SerfMember {
  /** The logical time of the last intent that was believed. */
  readonly statusTime: number;
  /** When it failed or left, ms of the monotonic time; 0 while it lives. */
  readonly goneAt: number;
}

/** Intents of nodes that are not known yet; the oldest are forgotten first. */
const maxEarlyIntents = 1024;
/** How long an early intent may wait for its node, ms (Serf's RecentIntentTimeout). */
const earlyIntentTimeout = 300_000;

/** What Serf adds to membership: who failed and who left is told apart by intents, which travel with logical times. */
export class SerfMembers {
  readonly #timers: Timers;
  readonly #members = new Map<string, Known>();
  readonly #early = new Map<string, { readonly intent: Intent; readonly at: number }>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get size(): number {
    return this.#members.size;
  }

  list(): readonly SerfMember[] {
    return [...this.#members.values()];
  }

  get(name: string): SerfMember | undefined {
    return this.#members.get(name);
  }

  /** By name, when its state was set, for a push/pull. */
  statusTimes(): ReadonlyMap<string, number> {
    return new Map([...this.#members].map(([name, { statusTime }]) => [name, statusTime]));
  }

  left(): readonly string[] {
    return [...this.#members].filter(([, { status }]) => status === "left").map(([name]) => name);
  }

  joined(member: Member): void {
    const known = this.#members.get(member.name);
    const early = this.#early.get(member.name)?.intent;
    this.#early.delete(member.name);
    const isLeaving = known === undefined && early?.kind === "leave";
    const statusTime = known?.statusTime ?? early?.time ?? 0;
    this.#put(member, isLeaving ? "leaving" : "alive", statusTime);
  }

  updated(member: Member): void {
    const known = this.#members.get(member.name);
    if (known !== undefined) this.#put(member, known.status, known.statusTime);
  }

  /** A leave that was announced, by an intent or by itself, is no failure. */
  gone(member: Member): void {
    const known = this.#members.get(member.name);
    if (known === undefined) return;
    const hasLeft = known.status === "leaving" || member.state === "left";
    this.#put(member, hasLeft ? "left" : "failed", known.statusTime);
  }

  /** Takes an intent in; tells whether it said something new, which is worth passing on. */
  intent(intent: Intent): boolean {
    const known = this.#members.get(intent.node);
    if (known === undefined) return this.#earlyIntent(intent);
    if (intent.time <= known.statusTime) return false;
    const { member, status } = known;
    if (intent.kind === "join") {
      this.#put(member, status === "leaving" ? "alive" : status, intent.time);
      return true;
    }
    if (status === "alive") this.#put(member, "leaving", intent.time);
    else if (status === "failed") this.#put(member, "left", intent.time);
    if (intent.prune && status !== "alive") this.#members.delete(intent.node);
    return status === "alive" || status === "failed" || intent.prune;
  }

  /** Forgets who has been gone for `timeout` ms. */
  reap(timeout: number): void {
    const now = this.#timers.monotonic();
    for (const [name, { status, goneAt }] of this.#members)
      if ((status === "failed" || status === "left") && now - goneAt > timeout) this.#members.delete(name);
    for (const [name, { at }] of this.#early) if (now - at > earlyIntentTimeout) this.#early.delete(name);
  }

  #earlyIntent(intent: Intent): boolean {
    const other = this.#early.get(intent.node)?.intent;
    if (other !== undefined && intent.time <= other.time) return false;
    this.#early.delete(intent.node);
    this.#early.set(intent.node, { intent, at: this.#timers.monotonic() });
    const [oldest] = this.#early.keys();
    if (this.#early.size > maxEarlyIntents && oldest !== undefined) this.#early.delete(oldest);
    return true;
  }

  #put(member: Member, status: SerfStatus, statusTime: number): void {
    const known = this.#members.get(member.name);
    const isGone = status === "failed" || status === "left";
    const goneAt = isGone ? known?.goneAt || this.#timers.monotonic() : 0;
    const tags = known?.member.meta === member.meta ? known.tags : decodeTags(member.meta);
    this.#members.set(member.name, { member, status, statusTime, goneAt, tags });
  }
}
