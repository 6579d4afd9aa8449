import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { LmdbStore, type Schema } from "../../src/store/index.ts";
import { Program } from "./child-process.ts";
import { atEnd } from "./cleanup.ts";
import { testStore } from "./store-compliance.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const schema: Schema = { version: 1, migrations: [] };

testStore("LmdbStore", async (t) => {
  const store = await LmdbStore.open({ path: temporaryFolder(t), schema });
  atEnd(t, () => store.close());
  return store;
});

describe("LmdbStore", () => {
  test("entries and revision outlive the process's hold on them", async (t) => {
    const path = temporaryFolder(t);
    for (let round = 1; round <= 20; round++) {
      const store = await LmdbStore.open({ path, schema });
      assert.equal(store.revision, round - 1);
      assert.equal(store.get("round"), round === 1 ? undefined : round - 1);
      await store.transact((tx) => tx.put("round", round));
      await store.close();
    }
  });

  test("folders and files are made for their owner only, dots in the path or not", async (t) => {
    const parent = join(temporaryFolder(t), "a.b");
    const path = join(parent, "store.d");
    const umask = process.umask(0);
    atEnd(t, () => process.umask(umask));
    const store = await LmdbStore.open({ path, schema });
    atEnd(t, () => store.close());
    for (const folder of [parent, path]) assert.equal(statSync(folder).mode & 0o777, 0o700);
    for (const file of ["data.mdb", "lock.mdb"]) {
      assert.equal(statSync(join(path, file)).mode & 0o777, 0o600, file);
    }
  });

  test("two handles on one folder see each other's commits and count them together", async (t) => {
    const path = temporaryFolder(t);
    const stores = [await LmdbStore.open({ path, schema }), await LmdbStore.open({ path, schema })] as const;
    const increments = stores.flatMap((store) =>
      Array.from({ length: 50 }, () => store.transact((tx) => tx.put("n", Number(tx.get("n") ?? 0) + 1))),
    );
    await Promise.all(increments);
    await stores[0].close();
    assert.equal(stores[1].get("n"), 100);
    assert.equal(stores[1].revision, 100);
    await stores[1].close();
  });

  test("a full disk fails the commits that met it, whole, and no later one", async (t) => {
    const program = new Program(t, "full-disk-writer", [temporaryFolder(t)], 512);
    assert.equal(await program.end(), 0);
    const result = JSON.parse(program.lines[0] ?? "null");
    const lost = /^STORE: the store at .* could not commit: Input\/output error$/;
    for (const reason of result.reasons) assert.match(reason, lost);
    assert.deepEqual(result.afterFailure, ["first"]);
    assert.deepEqual([result.revision, result.told, result.unhandled], [2, [1, 2], []]);
  });

  test("a folder that is none, or no database, is a clear error", async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "file");
    writeFileSync(file, "hello");
    await assert.rejects(LmdbStore.open({ path: file, schema }), {
      code: "STORE",
      message: /the store at .*file could not be opened: /,
    });
    const refused = async (bytes: Buffer, message: RegExp) => {
      writeFileSync(join(folder, "data.mdb"), bytes);
      await assert.rejects(LmdbStore.open({ path: folder, schema }), { code: "STORE", message });
    };
    await refused(Buffer.from("no database"), /is not an LMDB database/);
    await refused(Buffer.alloc(8192, "no database"), /is not an LMDB database/);
    await refused(await emptyDataFile(t, (bytes) => bytes.writeUInt16LE(1, 28)), /format 1, it should be 2/);
  });

  test("a database whose making was cut short is made anew", async (t) => {
    const path = temporaryFolder(t);
    const cut = (await emptyDataFile(t, (bytes) => bytes.writeBigUInt64LE(0n, 152))).subarray(0, 4096);
    writeFileSync(join(path, "data.mdb"), cut);
    const store = await LmdbStore.open({ path, schema });
    await store.transact((tx) => tx.put("a", 1));
    await store.close();
    const again = await LmdbStore.open({ path, schema });
    assert.equal(again.get("a"), 1);
    await again.close();
  });
});

test("a database that had commits and lacks its end is refused, not made anew", async (t) => {
  const path = temporaryFolder(t);
  const store = await LmdbStore.open({ path, schema });
  for (let i = 0; i < 20; i++) await store.transact((tx) => tx.put(`n/${i}`, "x".repeat(1000)));
  await store.close();
  const file = join(path, "data.mdb");
  const whole = readFileSync(file);
  for (const bytes of [5000, 4096, 2 * 4096, 3 * 4096]) {
    writeFileSync(file, whole.subarray(0, bytes));
    await assert.rejects(LmdbStore.open({ path, schema }), {
      code: "STORE",
      message: /could not be opened: data\.mdb is cut short: restore a backup/,
    });
    assert.equal(statSync(file).size, bytes);
  }
});

test("a database whose pages hold something else is refused, not taken for an empty one", async (t) => {
  const path = temporaryFolder(t);
  const store = await LmdbStore.open({ path, schema });
  await store.transact((tx) => tx.put("n", 1));
  await store.close();
  const file = join(path, "data.mdb");
  writeFileSync(file, readFileSync(file).fill(7, 2 * 4096));
  await assert.rejects(LmdbStore.open({ path, schema }), {
    code: "STORE",
    message: /could not be opened: .*it is damaged: .*restore a backup$/,
  });
});

/** The data file of a store with nothing in it, changed by `change`. */
async function emptyDataFile(t: TestContext, change: (bytes: Buffer) => void): Promise<Buffer> {
  const path = temporaryFolder(t);
  const store = await LmdbStore.open({ path, schema });
  await store.close();
  const bytes = readFileSync(join(path, "data.mdb"));
  change(bytes);
  return bytes;
}
