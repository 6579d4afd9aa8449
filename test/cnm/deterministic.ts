import { createHash } from "node:crypto";
import type { Clock, Random } from "../../src/core/index.ts";

/** Randomness that repeats: hashes of a seed and a counter. */
export function seededRandom(seed: string): Random {
  let count = 0;
  return {
    bytes(length) {
      const parts: Buffer[] = [];
      for (let have = 0; have < length; have += 32) {
        parts.push(createHash("sha256").update(`${seed} ${count++}`).digest());
      }
      return Uint8Array.from(Buffer.concat(parts).subarray(0, length));
    },
  };
}

/** A clock that stands still until it is told to go on: each look at it is one ms later than the last. */
export class TestClock implements Clock {
  #now = 1_700_000_000_000;
  readonly #sleepers = new Set<() => void>();
  /** How long each sleep was to be, ms. */
  readonly sleeps: number[] = [];

  now(): number {
    return this.#now++;
  }

  monotonic(): number {
    return this.now();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    return new Promise((resolve, reject) => {
      const wake = () => {
        this.#sleepers.delete(wake);
        resolve();
      };
      this.#sleepers.add(wake);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(wake);
        reject(signal.reason);
      });
    });
  }

  /** Lets time go by in which nobody gets a turn. */
  pass(ms: number): void {
    this.#now += ms;
  }

  /** Ends every sleep. */
  wakeAll(): void {
    for (const wake of [...this.#sleepers]) wake();
  }
}

/** A number source for shuffles (mulberry32): from 0 up to `below`. */
export function seededNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
