import { setTimeout as delay } from "node:timers/promises";

/** The passing of time, injected so that tests move it by hand. All values are ms. */
export interface Clock {
  /** Wall-clock time, ms since 1970-01-01T00:00:00Z. */
  now(): number;
  /** A time that never jumps, ms since an arbitrary start; for measuring. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when that fires first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep,
};

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw signal?.aborted ? signal.reason : error; // Node wraps the reason in an error of its own
  }
}

/** A source of randomness, injected so that tests repeat. */
export interface Random {
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}

/** The machine's cryptographically secure randomness. */
export const systemRandom: Random = {
  // Not imported at the start: the command line would wait for it, and needs none.
  bytes: (length) => process.getBuiltinModule("node:crypto").randomBytes(length),
};
