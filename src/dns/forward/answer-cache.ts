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
/** About what an entry takes besides its message, the places of its TTLs, and the letters of its key. */
const overheadBytes = 500;
const ttlOffsetBytes = 8;

/** What is kept, and since when. */
export interface CachedResult {
  readonly result: LookupResult;
  /** Times are ms of the cache's clock. */
  readonly storedAt: number;
  readonly expiresAt: number;
  readonly bytes: number;
}

/** What was kept for one owner. */
interface Share {
  /** Least recently used first. */
  readonly entries: Map<string, CachedResult>;
  bytes: number;
}

/**
 * Results of lookups by key, for as long as they may be kept, for all who ask. Each counts for the owner
 * whose question brought it. When there are too many, results go of which the owner is gone, then of the
 * owner that has most, of one owner those used longest ago: who asks for a great many names pushes out
 * only its own. Nothing runs by itself: what is too old goes when it is asked for, or is pushed out.
 */
export class AnswerCache<Owner> {
  readonly #limits: CacheLimits;
  /** Where each key is. */
  readonly #index = new Map<string, Share>();
  readonly #shares = new Map<Owner, Share>();
  /** Shares of those that are gone, the longest gone first; none is empty. */
  readonly #ownerless = new Set<Share>();
  #bytes = 0;

  constructor(limits: CacheLimits = defaultCacheLimits) {
    this.#limits = limits;
  }

  /** What is kept under `key`, if it may still be used. If its owner is gone, `asker` owns it from now on. */
  get(key: string, now: number, asker: Owner): CachedResult | undefined {
    const share = this.#index.get(key);
    const entry = share?.entries.get(key);
    if (share === undefined || entry === undefined) return undefined;
    if (now >= entry.expiresAt) {
      this.#drop(key);
      return undefined;
    }
    if (this.#ownerless.has(share)) {
      this.#drop(key);
      this.#add(key, entry, asker);
    } else {
      share.entries.delete(key);
      share.entries.set(key, entry);
    }
    return entry;
  }

  /** Keeps `result` for `owner`, if that is allowed. */
  put(key: string, result: LookupResult, now: number, owner: Owner): void {
    const lifeMs = lifeSecondsOf(result) * 1000;
    const bytes = bytesOf(key, result);
    if (lifeMs <= 0 || bytes > this.#limits.bytes) return;
    this.#drop(key);
    this.#add(key, { result, storedAt: now, expiresAt: now + lifeMs, bytes }, owner);
    while (this.#bytes > this.#limits.bytes || this.#index.size > this.#limits.entries) this.#dropOne();
  }

  /** Notes that `owner` is gone; what was kept for it stays as long as there is room. */
  disown(owner: Owner): void {
    const share = this.#shares.get(owner);
    if (share === undefined) return;
    this.#shares.delete(owner);
    if (share.entries.size > 0) this.#ownerless.add(share);
  }

  /** Forgets everything. */
  clear(): void {
    this.#index.clear();
    this.#shares.clear();
    this.#ownerless.clear();
    this.#bytes = 0;
  }

  /** How much is kept, what is too old and not yet gone included. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#index.size, bytes: this.#bytes };
  }

  #add(key: string, entry: CachedResult, owner: Owner): void {
    const share = this.#shares.get(owner) ?? { entries: new Map(), bytes: 0 };
    this.#shares.set(owner, share);
    share.entries.set(key, entry);
    share.bytes += entry.bytes;
    this.#bytes += entry.bytes;
    this.#index.set(key, share);
  }

  #drop(key: string): void {
    const share = this.#index.get(key);
    const entry = share?.entries.get(key);
    if (share === undefined || entry === undefined) return;
    this.#index.delete(key);
    share.entries.delete(key);
    share.bytes -= entry.bytes;
    this.#bytes -= entry.bytes;
    if (share.entries.size === 0) this.#ownerless.delete(share);
  }

  #dropOne(): void {
    const [ownerless] = this.#ownerless;
    const [oldest] = (ownerless ?? this.#largest())?.entries.keys() ?? [];
    if (oldest !== undefined) this.#drop(oldest);
  }

  /** The share with most of what there is too much of. */
  #largest(): Share | undefined {
    const tooManyBytes = this.#bytes > this.#limits.bytes;
    let largest: Share | undefined;
    for (const share of this.#shares.values()) {
      const more =
        largest === undefined ||
        (tooManyBytes ? share.bytes > largest.bytes : share.entries.size > largest.entries.size);
      if (more) largest = share;
    }
    return largest;
  }
}

function bytesOf(key: string, result: LookupResult): number {
  const own =
    result.kind === "answer" ? result.message.length + ttlOffsetBytes * result.ttlOffsets.length : 0;
  return overheadBytes + key.length + own;
}

function lifeSecondsOf(result: LookupResult): number {
  const positive = result.kind === "answer" && isPositive(result);
  return Math.min(result.lifeSeconds, positive ? longestLifeSeconds : longestNegativeLifeSeconds);
}
