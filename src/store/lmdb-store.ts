import type { Unsubscribe } from "../core/index.ts";
import { writeBackup } from "./backup.ts";
import { checkKey, checkPrefix } from "./key.ts";
import { Lifetime } from "./lifetime.ts";
import { LmdbDatabase, type StoreFacts } from "./lmdb-database.ts";
import { storeError } from "./lmdb-errors.ts";
import { readEntries, runWork } from "./overlay.ts";
import { checkSchema, type Migration, migrationsFrom, type Schema } from "./schema.ts";
import type { Store, StoreChange, StoreEntry, StoreKey, StoreValue, Transaction } from "./store.ts";
import { decodeValue } from "./value.ts";
import { type Commit, Watchers } from "./watchers.ts";

/** What {@link LmdbStore.open} needs to know. */
export interface LmdbStoreOptions {
  /** The folder that holds the database; made, with mode 0700, when it is missing. */
  readonly path: string;
  /** What the program knows of how its records are written. */
  readonly schema: Schema;
}

/**
 * A store in a folder of its own, by LMDB. Any number of transactions that are asked for together
 * share one commit, and each still is rolled back alone. A commit is on disk before anybody can
 * read it, so reads give what the last resolved commit left or a newer one that is as durable and
 * about to be resolved; two reads without an await in between see the same. Several processes may
 * open one folder: their transactions are serializable, but each one's watchers hear of its own
 * commits only.
 */
export class LmdbStore implements Store {
  readonly #database: LmdbDatabase;
  readonly #lifetime: Lifetime;
  readonly #watchers = new Watchers();

  private constructor(database: LmdbDatabase) {
    this.#database = database;
    this.#lifetime = new Lifetime(`the store at ${database.path}`);
  }

  /**
   * Opens the store of a folder, made if there is none, and migrates it when its schema is older.
   * Each step is one transaction: a crash or a throw leaves the store at one version or the next.
   * Throws SCHEMA_NEWER, having written nothing, when it was written by a later weft; STORE when it
   * cannot be opened or migrated; INTERNAL when `schema` makes no sense.
   */
  static async open(options: LmdbStoreOptions): Promise<LmdbStore> {
    const { path, schema } = options;
    checkSchema(schema);
    const store = new LmdbStore(LmdbDatabase.open(path));
    try {
      await store.#bringTo(schema);
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  get revision(): number {
    this.#lifetime.check();
    return this.#facts().revision;
  }

  get(key: StoreKey): StoreValue | undefined {
    this.#lifetime.check();
    checkKey(key);
    const text = this.#database.get(key);
    return text === undefined ? undefined : decodeValue(key, text);
  }

  range(prefix: string): Iterable<StoreEntry> {
    this.#lifetime.check();
    checkPrefix(prefix);
    return readEntries(this.#database, prefix);
  }

  async transact<T>(work: (transaction: Transaction) => T): Promise<T> {
    this.#lifetime.check();
    return this.#lifetime.track(this.#commit(work));
  }

  watch(prefix: string, listener: (change: StoreChange) => void): Unsubscribe {
    this.#lifetime.check();
    return this.#watchers.watch(prefix, listener);
  }

  backup(file: string): Promise<void> {
    this.#lifetime.check();
    return this.#lifetime.track(writeBackup(this.#database, file));
  }

  close(): Promise<void> {
    return this.#lifetime.close(() => this.#database.close());
  }

  #facts(): StoreFacts {
    const facts = this.#database.facts();
    if (facts === undefined) throw storeError(this.#database.path, "be read", "it has no schema version");
    return facts;
  }

  async #bringTo(schema: Schema): Promise<void> {
    const facts = this.#database.facts();
    if (facts === undefined) return this.#database.create(schema.version);
    for (const step of migrationsFrom(facts.schema, schema, this.#database.path)) await this.#migrate(step);
  }

  async #migrate(step: Migration): Promise<void> {
    try {
      await this.#commit((transaction) => step.migrate(transaction), step);
    } catch (cause) {
      const verb = `be migrated from schema version ${step.from} to ${step.from + 1}`;
      throw storeError(this.#database.path, verb, cause);
    }
  }

  /** One transaction; when it is a migration's, it sets the schema version too. */
  async #commit<T>(work: (transaction: Transaction) => T, step?: Migration): Promise<T> {
    let outcome: { readonly result: T } | undefined;
    let commit: Commit | undefined;
    try {
      await this.#database.transact(() => {
        const facts = this.#facts();
        if (step !== undefined && facts.schema !== step.from) {
          throw new Error("another process has changed its schema version meanwhile");
        }
        const { result, writes } = this.#lifetime.work(() => runWork(this.#database, work));
        outcome = { result };
        if (step !== undefined) this.#database.writeFacts({ schema: step.from + 1 });
        if (writes.size === 0) return;
        commit = { revision: facts.revision + 1, writes };
        this.#database.write(writes);
        this.#database.writeFacts({ revision: commit.revision });
        this.#watchers.made(commit);
      });
    } catch (error) {
      if (commit !== undefined) this.#watchers.lost(commit);
      throw error;
    }
    if (commit !== undefined) this.#watchers.durable(commit);
    if (outcome === undefined) throw storeError(this.#database.path, "commit", "the transaction never ran");
    return outcome.result;
  }
}
