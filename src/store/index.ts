export { LmdbStore, type LmdbStoreOptions } from "./lmdb-store.ts";
export { MemoryStore } from "./memory-store.ts";
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
