// A program that the crash tests kill while it is inside a transaction, in LMDB's write lock: it
// says so with a line on its output and stays there until it is killed, or the test is gone.
import { readSync, writeSync } from "node:fs";
import { LmdbStore } from "../../src/store/index.ts";

const path = process.argv[2] ?? "";
const store = await LmdbStore.open({ path, schema: { version: 1, migrations: [] } });
await store.transact((tx) => {
  tx.put("half", 1);
  writeSync(1, "inside\n");
  readSync(0, Buffer.alloc(1));
});
process.exit(1);
