export { checkStore } from "./check-store.ts";
export type { CheckedStore } from "./checked-store.ts";
export { hasDatabase } from "./lmdb-files.ts";
export { LmdbStore, type LmdbStoreOptions } from "./lmdb-store.ts";
export { MemoryStore } from "./memory-store.ts";
export { formerFile, restoreStore } from "./restore-store.ts";
export type { Migration, Schema } from "./schema.ts";
export type {
  Store,
  StoreChange,
  StoreEntry,
  StoreKey,
  StoreReader,
  StoreValue,
  StoreWrite,
  Transaction,
} from "./store.ts";
