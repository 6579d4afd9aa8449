import type { IpAddress } from "../../core/index.ts";
import { portOf, type UpstreamServer } from "./upstream-server.ts";

/** An upstream server as it has been found to be. */
export interface UpstreamStatus {
  readonly address: IpAddress;
  readonly port: number;
  /** Path of the namespace that it is asked from. */
  readonly netns: string;
  /**
   * "down": it has failed several times in a row, and when it was asked a question that every resolver
   * answers. It is asked after the others until it answers.
   */
  readonly state: "up" | "down";
  /** Smoothed time to an answer, ms; absent before the first one. */
  readonly rttMs?: number;
  /** Queries sent. */
  readonly asked: number;
  /** Usable answers that came. */
  readonly answered: number;
  /** How often it was silent, slower than another, or not to be reached. */
  readonly failed: number;
}

/** Failures in a row after which a server is doubted. */
const failuresToBeDoubted = 3;
/** How long a server that went down is not tried again, ms; doubled up to the second figure while it stays down. */
const firstRestMs = 1000;
const longestRestMs = 60_000;
/** How long a server that understood no EDNS is asked without, ms. */
const withoutEdnsMs = 15 * 60_000;
/** When to ask the next server as well: after this many times what this one usually takes, within bounds, ms. */
const patience = 4;
const leastPatienceMs = 200;
const mostPatienceMs = 1000;
const firstPatienceMs = 400;
const patienceWhenDownMs = 50;
/** The weight of the newest time in the smoothed one (RFC 6298 §2). */
const rttWeight = 1 / 8;

/** What is known of an upstream server, for all sandboxes that use it. All times are ms of one clock that never jumps. */
export class Upstream {
  readonly server: UpstreamServer;
  #rttMs: number | undefined;
  #asked = 0;
  #answered = 0;
  #failed = 0;
  #failedInRow = 0;
  #lastAnswerAt = Number.NEGATIVE_INFINITY;
  #down: { until: number; restMs: number } | undefined;
  #knowsEdns = false;
  #withoutEdnsUntil = 0;

  constructor(server: UpstreamServer) {
    this.server = server;
  }

  /** Notes that a query was sent. */
  noteAsked(): void {
    this.#asked++;
  }

  /** Notes a usable answer that came now; `rttMs` when it is known how long it took, and `edns` when it was to a query with EDNS. */
  noteAnswer(now: number, rttMs: number | undefined, edns: boolean): void {
    this.noteAlive(now);
    this.#answered++;
    if (edns) this.#knowsEdns = true;
    if (rttMs === undefined) return;
    this.#rttMs = this.#rttMs === undefined ? rttMs : this.#rttMs + (rttMs - this.#rttMs) * rttWeight;
  }

  /** Notes that it refused a question now: it lives, whatever it knows. */
  noteAlive(now: number): void {
    this.#lastAnswerAt = now;
    this.#failedInRow = 0;
    this.#down = undefined;
  }

  /** Notes a failure. */
  noteFailure(): void {
    this.#failed++;
    this.#failedInRow++;
  }

  /**
   * Notes that there was no answer to what was asked at `askedAt`. It is no failure of a server that has
   * answered something else since.
   */
  noteSilence(askedAt: number): void {
    this.#failed++;
    if (this.#lastAnswerAt <= askedAt) this.#failedInRow++;
  }

  /**
   * Notes that a probe that began at `askedAt` has failed; true when the server went down with it. Nothing
   * else takes it down: failures alone may be the fault of the names that were asked for, which any
   * sandbox chooses.
   */
  noteProbeFailed(askedAt: number, now: number): boolean {
    if (this.#lastAnswerAt > askedAt) return false;
    const before = this.#down;
    const restMs = before === undefined ? firstRestMs : Math.min(before.restMs * 2, longestRestMs);
    this.#down = { until: now + restMs, restMs };
    return before === undefined;
  }

  /** True when it has failed several times in a row, and a probe has to tell whether it is down. */
  get isDoubted(): boolean {
    return !this.isDown && this.#failedInRow >= failuresToBeDoubted;
  }

  /** True for a server that is asked after the others. */
  get isDown(): boolean {
    return this.#down !== undefined;
  }

  /** True when a server that is down has rested, and may be tried. */
  hasRested(now: number): boolean {
    return this.#down !== undefined && now >= this.#down.until;
  }

  /** Notes that the server answered a query without EDNS, after it refused it with, or was silent to it. */
  noteWithoutEdns(now: number): void {
    this.#withoutEdnsUntil = now + withoutEdnsMs;
  }

  /**
   * Whether to ask with EDNS. Silence may come from a box on the way that drops what it does not know:
   * a query that is sent again goes without, unless this server has answered one with. Whoever gets an
   * answer in that way tells {@link Upstream.noteWithoutEdns}.
   */
  wantsEdns(now: number, again: boolean): boolean {
    return now >= this.#withoutEdnsUntil && (this.#knowsEdns || !again);
  }

  /** How long to wait for this server before the next one is asked as well, ms. */
  get patienceMs(): number {
    if (this.isDown) return patienceWhenDownMs;
    if (this.#rttMs === undefined) return firstPatienceMs;
    return Math.min(Math.max(this.#rttMs * patience, leastPatienceMs), mostPatienceMs);
  }

  /** What people are told. */
  get status(): UpstreamStatus {
    const { address, netns } = this.server;
    return {
      address,
      port: portOf(this.server),
      netns,
      state: this.isDown ? "down" : "up",
      ...(this.#rttMs === undefined ? {} : { rttMs: this.#rttMs }),
      asked: this.#asked,
      answered: this.#answered,
      failed: this.#failed,
    };
  }
}

/**
 * The order in which servers are asked, and in which they are believed that there is nothing: as the user
 * gave it, those that are down last.
 */
export function askingOrder(upstreams: readonly Upstream[]): readonly Upstream[] {
  const down = upstreams.filter(({ isDown }) => isDown);
  if (down.length === 0) return upstreams;
  return [...upstreams.filter(({ isDown }) => !isDown), ...down];
}
