import type { Unsubscribe } from "../core/index.ts";

/**
 * A key: path segments joined by `/`, such as `networks/<id>`; printable ASCII, at most 500 bytes.
 * Entries are ordered by key, byte by byte.
 */
export type StoreKey = string;

/** What a key holds: any value that JSON can carry. Treat it as frozen; it may be shared. */
export type StoreValue = unknown;

/** A key with its value. */
export interface StoreEntry {
  readonly key: StoreKey;
  readonly value: StoreValue;
}

/** One key as a commit left it; `value` is undefined when the key was deleted. */
export interface StoreWrite {
  readonly key: StoreKey;
  readonly value: StoreValue | undefined;
}

/** What one commit changed, told to watchers after it is durable. */
export interface StoreChange {
  /** The revision that the commit made. */
  readonly revision: number;
  readonly writes: readonly StoreWrite[];
}

/** A consistent view of the store. */
export interface StoreReader {
  /** The value of `key`, or undefined. */
  get(key: StoreKey): StoreValue | undefined;
  /** Every entry whose key begins with `prefix`, in key order. */
  range(prefix: string): Iterable<StoreEntry>;
}

/** A view that sees its own writes. It is of no use once the transaction's function has returned. */
export interface Transaction extends StoreReader {
  put(key: StoreKey, value: StoreValue): void;
  /** Removes `key`; false when it was not there. */
  delete(key: StoreKey): boolean;
}

/**
 * A transactional key-value store. Reading gives what the last resolved commit left, or a newer one
 * that is as durable and about to be resolved; never half of one. Writing is all or nothing,
 * serializable, and durable (on disk, fsynced, or agreed by a quorum) before the promise of
 * {@link Store.transact} resolves. Bad keys and values that JSON cannot carry throw INTERNAL;
 * a store that cannot read or write, or is closed, throws STORE.
 */
export interface Store extends StoreReader {
  /** Counts commits; grows by one with each that wrote something, and survives a restart. */
  readonly revision: number;
  /**
   * Runs `work` in a transaction and commits what it wrote; when it throws, nothing is written and
   * the promise rejects with that error. `work` is synchronous, touches nothing but the transaction,
   * and may be run more than once, since a store shared between hosts retries on conflict.
   */
  transact<T>(work: (transaction: Transaction) => T): Promise<T>;
  /**
   * Tells `listener` of each later commit that touched a key beginning with `prefix`, with those writes
   * only, in the order of revisions and before the commit's own promise resolves. A commit under way
   * may be told although a read saw it already; none is left out.
   */
  watch(prefix: string, listener: (change: StoreChange) => void): Unsubscribe;
  /**
   * Writes what the store holds at one moment into a new file (mode 0600), durable when this resolves;
   * commits go on meanwhile. Throws FILE_EXISTS, DISK_FULL, STORE; then there is no such file. Absent where a
   * store has nothing that outlives it.
   */
  backup?(file: string): Promise<void>;
  /** Waits for commits under way, then lets go of files and connections. */
  close(): Promise<void>;
}
