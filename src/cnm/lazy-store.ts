import type { Clock, Unsubscribe } from "../core/index.ts";
import type { Store, StoreChange, StoreEntry, StoreKey, StoreValue, Transaction } from "../store/index.ts";

/** How long a lazy write waits for a transaction to go along with, ms. */
const patienceMs = 200;

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

  /** `onError` hears of a lazy write that failed by itself; what it wrote is tried again with the next transaction. */
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
      return await this.#store.transact((transaction) => {
        for (const write of taken) write(transaction);
        return work(transaction);
      });
    } catch (error) {
      this.#pending.unshift(...taken);
      this.#arm();
      throw error;
    }
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
    this.#clock.sleep(patienceMs, timer.signal).then(
      () => {
        this.#timer = undefined;
        this.flush().catch(this.#onError);
      },
      () => {}, // closed
    );
  }
}
