import type { LookupResult } from "./lookup-result.ts";
import { isPositive } from "./upstream-answer.ts";

/** How much is kept. */
export interface CacheLimits {
  readonly entries: number;
  /** Of messages, keys and what surrounds them. */
  readonly bytes: number;
}

/** 20,000 answers, in at most 16 MiB. */
export const defaultCacheLimits: CacheLimits = { entries: 20_000, bytes: 16 << 20 };

/** The longest that anything is kept, s: that there is something, and that there is nothing. */
const longestLifeSeconds = 3600;
const longestNegativeLifeSeconds = 300;
/** About what an entry takes besides its message and the letters of its key. */
const overheadBytes = 400;

/** What is kept, and since when. */
export interface CachedResult {
  readonly result: LookupResult;
  /** Times are ms of the cache's clock. */
  readonly storedAt: number;
  readonly expiresAt: number;
  readonly bytes: number;
}

/**
 * Results of lookups by key, for as long as they may be kept; those used longest ago go first when there
 * are too many. Nothing runs by itself: what is too old goes when it is asked for, or is pushed out.
 */
export class AnswerCache {
  readonly #limits: CacheLimits;
  /** Least recently used first. */
  readonly #entries = new Map<string, CachedResult>();
  #bytes = 0;

  constructor(limits: CacheLimits = defaultCacheLimits) {
    this.#limits = limits;
  }

  /** What is kept under `key`, if it may still be used. */
  get(key: string, now: number): CachedResult | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (now < entry.expiresAt) {
      this.#entries.set(key, entry);
      return entry;
    }
    this.#bytes -= entry.bytes;
    return undefined;
  }

  /** Keeps `result` if that is allowed. */
  put(key: string, result: LookupResult, now: number): void {
    const lifeMs = lifeSecondsOf(result) * 1000;
    const bytes = overheadBytes + key.length + (result.kind === "answer" ? result.message.length : 0);
    if (lifeMs <= 0 || bytes > this.#limits.bytes) return;
    this.#drop(key);
    this.#entries.set(key, { result, storedAt: now, expiresAt: now + lifeMs, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limits.bytes && this.#entries.size <= this.#limits.entries) break;
      this.#drop(oldest);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  /** How much is kept, what is too old and not yet gone included. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#entries.size, bytes: this.#bytes };
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

function lifeSecondsOf(result: LookupResult): number {
  const positive = result.kind === "answer" && isPositive(result);
  return Math.min(result.lifeSeconds, positive ? longestLifeSeconds : longestNegativeLifeSeconds);
}
