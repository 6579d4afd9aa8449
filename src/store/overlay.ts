import { WeftError } from "../core/index.ts";
import { checkKey, checkPrefix } from "./key.ts";
import type { StoreEntry, StoreKey, StoreValue, Transaction } from "./store.ts";
import { decodeValue, encodeValue } from "./value.ts";

/** What a store holds, values as JSON text. */
export interface TextReader {
  /** The text of `key`, or undefined. */
  get(key: StoreKey): string | undefined;
  /** Every key that begins with `prefix` with its text, in key order. */
  range(prefix: string): Iterable<readonly [StoreKey, string]>;
}

/** The net effect of a transaction: keys with their new texts, undefined for a key that was deleted. */
export type TextWrites = ReadonlyMap<StoreKey, string | undefined>;

/** What a transaction's function gave, and what it wrote. */
export interface WorkOutcome<T> {
  readonly result: T;
  readonly writes: TextWrites;
}

/**
 * Runs `work` on a transaction whose writes are kept aside, over what `base` holds. A throw thus
 * leaves nothing to undo. Throws what `work` throws, and INTERNAL when it is asynchronous.
 */
export function runWork<T>(base: TextReader, work: (transaction: Transaction) => T): WorkOutcome<T> {
  const overlay = new OverlayTransaction(base);
  try {
    const result = work(overlay);
    if (isThenable(result)) {
      // What it throws later is of no interest to anyone: it is refused already.
      result.then(undefined, () => {});
      throw new WeftError(
        "INTERNAL",
        "a transaction's function must be synchronous, this one gave a promise",
      );
    }
    return { result, writes: overlay.writes };
  } finally {
    overlay.end();
  }
}

/** Reads `prefix` at once: what is written later cannot disturb the caller's loop. */
export function readEntries(base: TextReader, prefix: string): StoreEntry[] {
  return Array.from(base.range(prefix), ([key, text]) => ({ key, value: decodeValue(key, text) }));
}

class OverlayTransaction implements Transaction {
  readonly #base: TextReader;
  readonly #writes = new Map<StoreKey, string | undefined>();
  #ended = false;

  constructor(base: TextReader) {
    this.#base = base;
  }

  get writes(): TextWrites {
    return this.#writes;
  }

  end(): void {
    this.#ended = true;
  }

  get(key: StoreKey): StoreValue | undefined {
    this.#check();
    checkKey(key);
    const text = this.#text(key);
    return text === undefined ? undefined : decodeValue(key, text);
  }

  range(prefix: string): Iterable<StoreEntry> {
    this.#check();
    checkPrefix(prefix);
    return readEntries({ get: (key) => this.#text(key), range: (p) => this.#merged(p) }, prefix);
  }

  put(key: StoreKey, value: StoreValue): void {
    this.#check();
    checkKey(key);
    this.#writes.set(key, encodeValue(key, value));
  }

  delete(key: StoreKey): boolean {
    this.#check();
    checkKey(key);
    const there = this.#text(key) !== undefined;
    // A key that was put and deleted here was never there: no write at all.
    if (this.#base.get(key) === undefined) this.#writes.delete(key);
    else this.#writes.set(key, undefined);
    return there;
  }

  #check(): void {
    if (this.#ended)
      throw new WeftError("INTERNAL", "a transaction was used after its function had returned");
  }

  #text(key: StoreKey): string | undefined {
    return this.#writes.has(key) ? this.#writes.get(key) : this.#base.get(key);
  }

  /** The base's entries with our writes in their places, in key order. */
  *#merged(prefix: string): Generator<readonly [StoreKey, string]> {
    const own = [...this.#writes].filter(([key]) => key.startsWith(prefix)).sort(byKey);
    let next = 0;
    for (const entry of this.#base.range(prefix)) {
      for (let w = own[next]; w !== undefined && w[0] < entry[0]; w = own[++next]) yield* present(w);
      const same = own[next];
      if (same !== undefined && same[0] === entry[0]) {
        next++;
        yield* present(same);
      } else {
        yield entry;
      }
    }
    for (const write of own.slice(next)) yield* present(write);
  }
}

type TextWrite = readonly [StoreKey, string | undefined];

function byKey(a: TextWrite, b: TextWrite): number {
  return a[0] < b[0] ? -1 : 1;
}

function present([key, text]: TextWrite): readonly (readonly [StoreKey, string])[] {
  return text === undefined ? [] : [[key, text]];
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
