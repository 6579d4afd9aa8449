// A program for a test that limits how large its files may grow: it fills its store beyond that and
// says, as one line of JSON, what came of it. Started twice, it goes on from what the first left.
import { writeSync } from "node:fs";
import { LmdbStore } from "../../src/store/index.ts";

const unhandled: string[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(String(reason)));

const path = process.argv[2] ?? "";
const store = await LmdbStore.open({ path, schema: { version: 1, migrations: [] } });
const told: number[] = [];
store.watch("", (change) => told.push(change.revision));
await store.transact((tx) => tx.put("first", 1));
const outcomes = await Promise.allSettled([
  store.transact((tx) => tx.put("small", 1)),
  store.transact((tx) => {
    for (let i = 0; i < 4000; i++) tx.put(`large/${i}`, "x".repeat(500));
  }),
]);
const reasons = outcomes.map((o) =>
  o.status === "rejected" ? `${o.reason.code}: ${o.reason.message}` : "done",
);
const afterFailure = [...store.range("")].map((entry) => entry.key);
await store.transact((tx) => tx.put("last", 1));
const { revision } = store;
await store.close();
writeSync(1, `${JSON.stringify({ reasons, afterFailure, revision, told, unhandled })}\n`);
