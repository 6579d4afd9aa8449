import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { open } from "lmdb";
import { LmdbStore, type Store, type Transaction } from "../src/store/index.ts";

/** One line of the table: what was measured, and the figure with its unit. */
export interface StoreFigure {
  readonly what: string;
  readonly figure: string;
}

const record = (i: number) => ({
  id: "a1b2c3d4".repeat(8),
  name: `network-${i}`,
  state: "ready",
  options: { "com.docker.network.bridge.name": `weft${i}` },
});

function putThree(tx: Transaction, name: string): void {
  for (let i = 0; i < 3; i++) tx.put(`${name}/${i}`, record(i));
}

/** Transactions on the disk that holds the temporary folder, beside lmdb without us. */
export async function storeFigures(): Promise<readonly StoreFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), "weft-bench-store-"));
  const store = await LmdbStore.open({ path: join(folder, "weft"), schema: { version: 1, migrations: [] } });
  try {
    return [
      await rawLmdb(join(folder, "lmdb")),
      await oneAtATime(store),
      await manyInOne(store),
      await manyAtOnce(store),
      reading(store),
    ];
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The peer: the same three texts by lmdb's own call, with the same flags. */
async function rawLmdb(path: string): Promise<StoreFigure> {
  const flags = { noSubdir: false, overlappingSync: false, eventTurnBatching: false };
  const raw = open<string, string>(path, { ...flags, encoding: "string" });
  const times = await repeat(500, (n) =>
    raw.childTransaction(() => {
      for (let i = 0; i < 3; i++) raw.putSync(`${n}/${i}`, JSON.stringify(record(i)));
    }),
  );
  await raw.close();
  return { what: "lmdb alone: a transaction of 3 puts, awaited", figure: spread(times) };
}

async function oneAtATime(store: Store): Promise<StoreFigure> {
  const times = await repeat(500, (n) => store.transact((tx) => putThree(tx, `one/${n}`)));
  return { what: "a transaction of 3 puts, awaited", figure: spread(times) };
}

async function manyInOne(store: Store): Promise<StoreFigure> {
  const times = await repeat(20, (n) =>
    store.transact((tx) => {
      for (let i = 0; i < 1000; i++) tx.put(`many/${n}/${i}`, record(i));
    }),
  );
  return { what: "a transaction of 1,000 puts, awaited", figure: spread(times) };
}

async function manyAtOnce(store: Store): Promise<StoreFigure> {
  const times = await repeat(20, (n) =>
    Promise.all(Array.from({ length: 1000 }, (_, i) => store.transact((tx) => putThree(tx, `at/${n}/${i}`)))),
  );
  return { what: "1,000 transactions of 3 puts at once, until all are durable", figure: spread(times) };
}

function reading(store: Store): StoreFigure {
  const count = 100_000;
  const start = performance.now();
  for (let i = 0; i < count; i++) store.get("one/7/1");
  return { what: "get", figure: `${(((performance.now() - start) * 1000) / count).toFixed(2)} µs` };
}

/** How long each of `count` runs took, ms. */
async function repeat(count: number, run: (n: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const start = performance.now();
    await run(n);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

function spread(sorted: readonly number[]): string {
  const at = (part: number) => (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(2);
  return `median ${at(0.5)} ms, 95% within ${at(0.95)} ms`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { what, figure } of await storeFigures()) console.log(`${what.padEnd(62)} ${figure}`);
}
