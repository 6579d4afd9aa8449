import { WeftError } from "../core/index.ts";
import type { StoreEntry, StoreKey, StoreReader, StoreValue, Transaction } from "../store/index.ts";
import type { LazyStore } from "./lazy-store.ts";
import type { Operations } from "./operations.ts";

/** Where the embedding program's records are, in folders by the name of what they are for. */
const ownFolder = "own/";

/**
 * Records of the embedding program's own, in a folder of the controller's store: they are written, backed up
 * and purged with the controller's. Keys are relative to the folder: 1 to some 400 printable ASCII characters.
 */
export class OwnRecords implements StoreReader {
  readonly #folder: string;
  readonly #store: LazyStore;
  readonly #operations: Operations;

  /** Throws INVALID_NAME. */
  constructor(store: LazyStore, operations: Operations, name: string) {
    if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) {
      throw new WeftError(
        "INVALID_NAME",
        `invalid name of records ${JSON.stringify(name)}: it should be 1 to 63 small letters, digits and hyphens`,
      );
    }
    this.#folder = `${ownFolder}${name}/`;
    this.#store = store;
    this.#operations = operations;
  }

  /** The value of `key`, or undefined. */
  get(key: StoreKey): StoreValue | undefined {
    return this.#store.get(this.#folder + key);
  }

  /** Every entry whose key begins with `prefix`, in key order. */
  range(prefix = ""): Iterable<StoreEntry> {
    return this.#relative(this.#store.range(this.#folder + prefix));
  }

  /**
   * Changes the records all at once; durable when this resolves. `work` is synchronous and touches nothing but
   * its transaction; when it throws, nothing is written. Throws CONTROLLER_CLOSED, STORE, DISK_FULL.
   */
  transact<T>(work: (transaction: Transaction) => T): Promise<T> {
    return this.#operations.run(
      () =>
        this.#store.transact((transaction) =>
          work({
            get: (key) => transaction.get(this.#folder + key),
            range: (prefix) => this.#relative(transaction.range(this.#folder + prefix)),
            put: (key, value) => transaction.put(this.#folder + key, value),
            delete: (key) => transaction.delete(this.#folder + key),
          }),
        ),
      "own records",
    );
  }

  #relative(entries: Iterable<StoreEntry>): StoreEntry[] {
    const { length } = this.#folder;
    return Array.from(entries, ({ key, value }) => ({ key: key.slice(length), value }));
  }
}
