import type { Unsubscribe } from "../core/index.ts";
import { checkKey, checkPrefix } from "./key.ts";
import { Lifetime } from "./lifetime.ts";
import { readEntries, runWork } from "./overlay.ts";
import { SortedTexts } from "./sorted-texts.ts";
import type { Store, StoreChange, StoreEntry, StoreKey, StoreValue, Transaction } from "./store.ts";
import { decodeValue } from "./value.ts";
import { Watchers } from "./watchers.ts";

/**
 * A store that lives in memory and ends with the process, for tests and for hosts that keep
 * nothing. In all but durability it does what {@link LmdbStore} does, errors included.
 */
export class MemoryStore implements Store {
  readonly #lifetime = new Lifetime("the store in memory");
  readonly #texts = new SortedTexts();
  readonly #watchers = new Watchers();
  #revision = 0;

  get revision(): number {
    this.#lifetime.check();
    return this.#revision;
  }

  get(key: StoreKey): StoreValue | undefined {
    this.#lifetime.check();
    checkKey(key);
    const text = this.#texts.get(key);
    return text === undefined ? undefined : decodeValue(key, text);
  }

  range(prefix: string): Iterable<StoreEntry> {
    this.#lifetime.check();
    checkPrefix(prefix);
    return readEntries(this.#texts, prefix);
  }

  async transact<T>(work: (transaction: Transaction) => T): Promise<T> {
    this.#lifetime.check();
    return this.#lifetime.track(this.#commit(work));
  }

  watch(prefix: string, listener: (change: StoreChange) => void): Unsubscribe {
    this.#lifetime.check();
    return this.#watchers.watch(prefix, listener);
  }

  close(): Promise<void> {
    return this.#lifetime.close(async () => {});
  }

  async #commit<T>(work: (transaction: Transaction) => T): Promise<T> {
    // Not at once: no store runs the work before transact has returned, and nobody should rely on it.
    await null;
    const { result, writes } = this.#lifetime.work(() => runWork(this.#texts, work));
    if (writes.size > 0) {
      for (const [key, text] of writes) this.#texts.set(key, text);
      this.#revision++;
      const commit = { revision: this.#revision, writes };
      this.#watchers.made(commit);
      this.#watchers.durable(commit);
    }
    return result;
  }
}
