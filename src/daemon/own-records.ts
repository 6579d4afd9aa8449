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

/**
 * Records by id, in memory and in a folder of the store. Readers see what is durable, and what was noted. Of one id
 * one thing is done at a time.
 */
export class RecordTable<R extends { readonly id: Id }> {
  readonly #own: OwnRecords;
  readonly #records = new Map<Id, R>();
  /** What was noted and is not written. */
  readonly #unwritten = new Set<Id>();

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
    this.#unwritten.delete(record.id);
  }

  /** Removes a record; it is gone once that is durable. */
  async delete(id: Id): Promise<void> {
    await this.#own.transact((transaction) => transaction.delete(id));
    this.#records.delete(id);
    this.#unwritten.delete(id);
  }

  /** Shows what is so already, whether or not it can be written; {@link write} is to follow. */
  note(record: R): void {
    this.#records.set(record.id, record);
    this.#unwritten.add(record.id);
  }

  /** {@link note} of one that is no more. */
  noteGone(id: Id): void {
    this.#records.delete(id);
    this.#unwritten.add(id);
  }

  /** Writes what was noted, if it is not written yet. */
  async write(id: Id): Promise<void> {
    if (!this.#unwritten.has(id)) return;
    const record = this.#records.get(id);
    await this.#own.transact((transaction) => {
      if (record === undefined) transaction.delete(id);
      else transaction.put(id, record);
    });
    this.#unwritten.delete(id);
  }
}
