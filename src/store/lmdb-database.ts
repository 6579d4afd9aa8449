import { type Database, open, type RootDatabase } from "lmdb";
import { WeftError } from "../core/index.ts";
import { endOfPrefix } from "./key.ts";
import { causeOf, storeError, storing } from "./lmdb-errors.ts";
import { checkFiles, prepareFolder } from "./lmdb-files.ts";
import type { TextReader, TextWrites } from "./overlay.ts";
import { isVersion } from "./schema.ts";
import type { StoreKey } from "./store.ts";

/** What a store keeps about itself, beyond the reach of its users' keys. */
export interface StoreFacts {
  readonly schema: number;
  readonly revision: number;
}

interface Tables {
  /** The users' entries. */
  readonly data: Database<string, string>;
  /** {@link StoreFacts}, each member a decimal text. */
  readonly meta: Database<string, string>;
}

/** 1 GiB, in bytes, beyond which LMDB maps the file anew. It takes address space, not memory or disk. */
const mapSize = 2 ** 30;

const tableOptions = { encoding: "string" } as const;

/** One LMDB environment with texts in it. Failures of LMDB are thrown as STORE, with LMDB's as their cause. */
export class LmdbDatabase implements TextReader {
  readonly path: string;
  readonly #root: RootDatabase<string, string>;
  #tables: Tables | undefined;

  private constructor(path: string, root: RootDatabase<string, string>) {
    this.path = path;
    this.#root = root;
    this.#tables = existingTables(root);
  }

  /**
   * Opens the folder at `path`, made if it is missing, and writes nothing to a database that is there.
   */
  static open(path: string): LmdbDatabase {
    return storing(path, "be opened", () => {
      prepareFolder(path);
      checkFiles(path);
      const root = open<string, string>(path, {
        ...tableOptions,
        // lmdb would take a path with a dot in it for a file's.
        noSubdir: false,
        maxDbs: 2,
        mapSize,
        // Else commits are seen by readers before they are on disk. It is not slower for one at a time.
        overlappingSync: false,
        // Transactions that come together share a commit without it, and with it lmdb makes a promise
        // of its own for each commit, whose rejection nobody could handle when the disk is full.
        eventTurnBatching: false,
      });
      return new LmdbDatabase(path, root);
    });
  }

  /** What the store says about itself; undefined when it was never filled. */
  facts(): StoreFacts | undefined {
    return storing(this.path, "be read", () => {
      const schema = this.#tables?.meta.get("schema");
      if (this.#tables === undefined || schema === undefined) return undefined;
      const facts = { schema: Number(schema), revision: Number(this.#tables.meta.get("revision") ?? "0") };
      if (!isVersion(facts.schema) || !Number.isSafeInteger(facts.revision)) {
        throw new Error(`its own facts make no sense: ${JSON.stringify(facts)}`);
      }
      return facts;
    });
  }

  /** Makes the tables of an empty database. Throws STORE when it has entries and yet no facts. */
  async create(schema: number): Promise<void> {
    storing(this.path, "be created", () => {
      this.#tables ??= {
        data: this.#root.openDB<string, string>("data", tableOptions),
        meta: this.#root.openDB<string, string>("meta", tableOptions),
      };
      for (const key of this.#tables.data.getKeys({ limit: 1 })) {
        throw new Error(`it has entries, such as ${key}, and no schema version`);
      }
    });
    await this.transact(() => this.writeFacts({ schema, revision: 0 }));
  }

  get(key: StoreKey): string | undefined {
    return storing(this.path, "be read", () => this.#open().data.get(key));
  }

  range(prefix: string): readonly (readonly [StoreKey, string])[] {
    return storing(this.path, "be read", () => {
      const end = endOfPrefix(prefix);
      const bounds = end === undefined ? {} : { start: prefix, end };
      // Read to the end at once: a cursor left open would pin old pages, or point into changed ones.
      return Array.from(this.#open().data.getRange(bounds), ({ key, value }) => [key, value] as const);
    });
  }

  /**
   * Runs `body` in a write transaction, which no other process interrupts, and resolves when what it
   * wrote is on disk. A throw of `body` takes back its own writes and no other's; calls that come
   * together share one commit. Rejects with what `body` threw, or with STORE.
   */
  async transact(body: () => void): Promise<void> {
    let thrown: { readonly error: unknown } | undefined;
    try {
      await this.#root.childTransaction(() => {
        try {
          body();
        } catch (error) {
          thrown = { error };
          throw error;
        }
      });
    } catch (error) {
      if (thrown !== undefined) throw thrown.error;
      throw storeError(this.path, "commit", await causeOf(error));
    }
  }

  /** Writes entries; for use in {@link transact}. */
  write(writes: TextWrites): void {
    storing(this.path, "be written", () => {
      const { data } = this.#open();
      for (const [key, text] of writes) {
        if (text === undefined) data.removeSync(key);
        else data.putSync(key, text);
      }
    });
  }

  /** Writes facts; for use in {@link transact}. */
  writeFacts(facts: Partial<StoreFacts>): void {
    storing(this.path, "be written", () => {
      const { meta } = this.#open();
      for (const [name, value] of Object.entries(facts)) meta.putSync(name, String(value));
    });
  }

  /** Writes what the database holds at one moment into `folder`, as an LMDB database of its own. */
  copyTo(folder: string): Promise<void> {
    return this.#root.backup(folder, true);
  }

  /** Lets go of the files. The database must not be used afterwards. */
  async close(): Promise<void> {
    await this.#root.close();
  }

  #open(): Tables {
    if (this.#tables === undefined) throw new WeftError("INTERNAL", "the store's tables were never made");
    return this.#tables;
  }
}

/** The tables of a database that was filled before; asking does not make them. */
function existingTables(root: RootDatabase<string, string>): Tables | undefined {
  // Whatever the types say, `create` is an option, and without it the answer may be undefined.
  const options: { encoding: "string"; create: boolean } = { ...tableOptions, create: false };
  const data: Database<string, string> | undefined = root.openDB<string, string>("data", options);
  const meta: Database<string, string> | undefined = root.openDB<string, string>("meta", options);
  refuseDamaged(
    root,
    [data, meta].filter((table) => table !== undefined),
  );
  return data === undefined || meta === undefined ? undefined : { data, meta };
}

/** What getStats gives, of which lmdb's types say nothing: how many entries LMDB has counted. */
interface Stats {
  readonly entryCount: number;
}

/**
 * LMDB checks nothing of what it reads. A page that holds something else may look as if it held nothing, and a host
 * whose records are not found would be cleared of all that they speak of. So what there is is counted, by its keys, each
 * of which has to lead to an entry. Throws when it is less than LMDB has taken down.
 */
export function refuseDamaged(
  root: RootDatabase<string, string>,
  tables: readonly Database<string, string>[],
): void {
  const wantedTables = (root.getStats() as Stats).entryCount;
  if (tables.length < wantedTables) throw new Error(damage("tables", tables.length, wantedTables));
  for (const table of tables) {
    const wanted = (table.getStats() as Stats).entryCount;
    const listed = table.getKeysCount();
    if (listed !== wanted) throw new Error(damage("entries", listed, wanted));
    let found = 0;
    for (const key of table.getKeys()) if (table.doesExist(key)) found++;
    if (found !== wanted) throw new Error(damage("entries", found, wanted));
  }
}

function damage(what: string, found: number, wanted: number): string {
  return `it is damaged: ${found} of its ${wanted} ${what} are found: restore a backup`;
}
