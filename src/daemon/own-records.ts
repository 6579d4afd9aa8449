import type { Id } from "../core/index.ts";

/** What a transaction on a daemon's own records can do; keys are relative to the daemon's folder. */
export interface RecordWriter {
  put(key: string, value: unknown): void;
  delete(key: string): boolean;
}

/** A folder of the store that is the daemon's own, beside the model's records. */
export interface OwnRecords {
  range(): Iterable<{ readonly key: string; readonly value: unknown }>;
  /** Durable when it resolves. */
  transact(work: (transaction: RecordWriter) => void): Promise<void>;
}

/** Records by id, in memory and in a folder of the store. Readers see what is durable. */
export class RecordTable<R extends { readonly id: Id }> {
  readonly #own: OwnRecords;
  readonly #records = new Map<Id, R>();

  /** Reads what the store has. */
  constructor(own: OwnRecords) {
    this.#own = own;
    for (const { value } of own.range()) {
      const record = value as R; // only put() writes into the folder
      this.#records.set(record.id, record);
    }
  }

  get(id: Id): R | undefined {
    return this.#records.get(id);
  }

  all(): Iterable<R> {
    return this.#records.values();
  }

  get size(): number {
    return this.#records.size;
  }

  /** Writes a record; it is seen once it is durable. */
  async put(record: R): Promise<void> {
    await this.#own.transact((transaction) => transaction.put(record.id, record));
    this.#records.set(record.id, record);
  }

  /** Removes a record; it is gone once that is durable. */
  async delete(id: Id): Promise<void> {
    await this.#own.transact((transaction) => transaction.delete(id));
    this.#records.delete(id);
  }
}
