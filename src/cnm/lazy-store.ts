import { type Clock, type Unsubscribe, WeftError } from "../core/index.ts";
import type { Store, StoreChange, StoreEntry, StoreKey, StoreValue, Transaction } from "../store/index.ts";

/** How long a lazy write waits for a transaction to go along with, ms. */
const patienceMs = 200;
/** The longest wait until a write that failed is tried again, ms. */
const longestPatienceMs = 10_000;

/**
 * A store with writes that nobody waits for. They go along with the next transaction, before its own
 * writes, so that they cost no commit of their own; without one they are written after a while.
 */
export class LazyStore implements Store {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  #pending: ((transaction: Transaction) => void)[] = [];
  #timer: AbortController | undefined;
  #patienceMs = patienceMs;
  #failing = false;

  /**
   * `onError` hears of a lazy write that failed by itself, once until one succeeds; what it wrote is tried again
   * with the next transaction, and ever more seldom without one.
   */
  constructor(store: Store, clock: Clock, onError: (error: unknown) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#onError = onError;
  }

  get revision(): number {
    return this.#store.revision;
  }

  get(key: StoreKey): StoreValue | undefined {
    return this.#store.get(key);
  }

  range(prefix: string): Iterable<StoreEntry> {
    return this.#store.range(prefix);
  }

  watch(prefix: string, listener: (change: StoreChange) => void): Unsubscribe {
    return this.#store.watch(prefix, listener);
  }

  /** As {@link Store.transact}, with what waits to be written. When it fails, that waits on. */
  async transact<T>(work: (transaction: Transaction) => T): Promise<T> {
    const taken = this.#pending;
    this.#pending = [];
    try {
      const result = await this.#store.transact((transaction) => {
        for (const write of taken) write(transaction);
        return work(transaction);
      });
      this.#patienceMs = patienceMs;
      this.#failing = false;
      return result;
    } catch (error) {
      this.#pending.unshift(...taken);
      this.#arm();
      throw error;
    }
  }

  /** As {@link Store.backup}, with what waits to be written if it can be. Throws FEATURE_MISSING when the store can have none. */
  async backup(file: string): Promise<void> {
    await this.flush().catch(() => {}); // on a full disk a backup elsewhere is wanted all the more
    if (this.#store.backup === undefined)
      throw new WeftError(
        "FEATURE_MISSING",
        "this controller's store is in memory: there is nothing to back up",
      );
    await this.#store.backup(file);
  }

  /** Writes soon. Losing it, by a crash, must only cost work that is done again. */
  later(write: (transaction: Transaction) => void): void {
    this.#pending.push(write);
    this.#arm();
  }

  /** Writes what still waits, and resolves when it is durable. */
  async flush(): Promise<void> {
    if (this.#pending.length > 0) await this.transact(() => {});
  }

  async close(): Promise<void> {
    await this.flush();
    this.#timer?.abort();
    await this.#store.close();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#pending.length === 0) return;
    const timer = new AbortController();
    this.#timer = timer;
    this.#clock.sleep(this.#patienceMs, timer.signal).then(
      () => {
        this.#timer = undefined;
        this.flush().catch((error: unknown) => this.#failed(error));
      },
      () => {}, // closed
    );
  }

  #failed(error: unknown): void {
    const told = this.#failing;
    this.#failing = true;
    this.#patienceMs = Math.min(this.#patienceMs * 2, longestPatienceMs);
    if (!told) this.#onError(error);
  }
}
