// A program that the crash tests kill. It waits for one byte on its input, so that it can be started
// ahead of time, then opens the store of the folder it is given and writes for ever. Each commit is
// reported on its output as a line with the number of the step, before the next step is asked for.
import { readSync, writeSync } from "node:fs";
import { LmdbStore, type Transaction } from "../../src/store/index.ts";
import { copies, copyKey, counterKey, keptLogs, logKey, logValue } from "./crash-invariant.ts";

/** Adds one to the counter and keeps the invariant; gives the new count. */
function step(tx: Transaction): number {
  const next = Number(tx.get(counterKey) ?? 0) + 1;
  tx.put(counterKey, next);
  for (let i = 0; i < copies; i++) tx.put(copyKey(i), next);
  tx.put(logKey(next), logValue(next));
  tx.delete(logKey(next - keptLogs));
  return next;
}

/** Breaks the invariant and thinks better of it. */
function failingStep(tx: Transaction): never {
  tx.put(counterKey, -1);
  tx.delete(copyKey(0));
  throw new Error("rolled back");
}

const path = process.argv[2] ?? "";
if (readSync(0, Buffer.alloc(1)) === 0) process.exit(0); // the test is gone
const store = await LmdbStore.open({ path, schema: { version: 1, migrations: [] } });
const report = async () => {
  const done = await store.transact(step);
  writeSync(1, `${done}\n`);
};
for (let turn = 0; ; turn++) {
  // One alone, then several that share a commit with one that is rolled back.
  if (turn % 2 === 0) await report();
  else await Promise.all([report(), store.transact(failingStep).catch(() => {}), report(), report()]);
}
