import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { checkStore, formerFile, LmdbStore, restoreStore, type Schema } from "../../src/store/index.ts";
import { atEnd } from "./cleanup.ts";
import { smallDisk } from "./small-disk.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const schema: Schema = { version: 2, migrations: [{ from: 1, migrate: () => {} }] };

async function opened(
  t: TestContext,
  path = temporaryFolder(t),
  version: Schema = schema,
): Promise<LmdbStore> {
  const store = await LmdbStore.open({ path, schema: version });
  atEnd(t, () => store.close());
  return store;
}

/** A closed store with `count` entries of some 1,000 bytes. */
async function filled(t: TestContext, count: number, version: Schema = schema): Promise<string> {
  const path = temporaryFolder(t);
  const store = await opened(t, path, version);
  await store.transact((tx) => {
    for (let i = 0; i < count; i++) tx.put(`entry/${i}`, "x".repeat(1000));
  });
  await store.close();
  return path;
}

describe("backup", () => {
  test("is of one moment, while commits go on", async (t) => {
    const store = await opened(t);
    const put = (value: number) =>
      store.transact((tx) => {
        for (const key of ["a", "b", "c"]) tx.put(key, value);
      });
    await put(0);
    const file = join(temporaryFolder(t), "backup");
    const commits = Array.from({ length: 200 }, (_, i) => put(i + 1));
    await store.backup(file);
    await Promise.all(commits);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const copy = temporaryFolder(t);
    await restoreStore(file, { path: copy, schema });
    const restored = await opened(t, copy);
    assert.equal(restored.get("b"), restored.get("a"));
    assert.equal(restored.get("c"), restored.get("a"));
    assert.equal(restored.revision, Number(restored.get("a")) + 1);
  });

  test("takes the place of no other file, and leaves nothing when it cannot be", async (t) => {
    const store = await opened(t, await filled(t, 300));
    const folder = smallDisk(t, 64);
    const file = join(folder, "backup");
    await assert.rejects(store.backup(file), {
      code: "DISK_FULL",
      message: /the disk is full; nothing was lost/,
    });
    assert.deepEqual(readdirSync(folder), []);
    writeFileSync(file, "mine");
    const other = await opened(t);
    await assert.rejects(other.backup(file), { code: "FILE_EXISTS", message: /backup is there already/ });
    assert.deepEqual(readdirSync(folder), ["backup"]);
    assert.equal(readFileSync(file, "utf8"), "mine");
    await assert.rejects(other.backup(join(folder, "no-such-folder", "backup")), { code: "STORE" });
  });
});

describe("checkStore", () => {
  test("counts what is in order, a store in use and a backup alike, and changes nothing", async (t) => {
    const path = await filled(t, 7);
    const expected = { schema: 2, revision: 1, entries: 7 };
    const before = readdirSync(path);
    assert.deepEqual(await checkStore({ path, schema }), expected);
    const store = await opened(t, path);
    const backup = join(temporaryFolder(t), "backup");
    await store.backup(backup);
    assert.deepEqual(await checkStore({ path, schema }), expected);
    assert.deepEqual(await checkStore({ path: backup, schema }), expected);
    assert.deepEqual(readdirSync(path), before);
    await store.transact((tx) => tx.put("one more", 1));
  });

  test("refuses what is newer, what is none, and what is damaged, and says what to do", async (t) => {
    const path = await filled(t, 500);
    const data = join(path, "data.mdb");
    const whole = readFileSync(data);
    const refused = async (code: string, message: RegExp) =>
      assert.rejects(checkStore({ path, schema }), { code, message });
    await assert.rejects(checkStore({ path, schema: { version: 1, migrations: [] } }), {
      code: "SCHEMA_NEWER",
      message: /use the weft that wrote it, or a later one/,
    });
    const damaged = /is damaged: .*: restore a backup$/;
    truncateSync(data, whole.length / 2);
    await refused("STORE", /data\.mdb is cut short: restore a backup$/);
    writeFileSync(data, Buffer.concat([whole.subarray(0, 8192), Buffer.alloc(whole.length - 8192, 0xa5)]));
    await refused("STORE", damaged);
    writeFileSync(data, Buffer.from(whole.toString("latin1").replaceAll('"xxxx', "}xxxx"), "latin1"));
    await refused("STORE", /the stored value of entry\/0 is not JSON.*: restore a backup$/);
    writeFileSync(data, "no database at all");
    await refused("STORE", /data\.mdb is not an LMDB database/);
    writeFileSync(data, "");
    await refused("STORE", /is not an LMDB database/);
    await assert.rejects(checkStore({ path: join(path, "nowhere"), schema }), {
      code: "STORE",
      message: /could not be read: ENOENT/,
    });
  });
});

describe("restoreStore", () => {
  test("puts the backup in the store's place, and keeps what was there", async (t) => {
    const path = await filled(t, 3);
    const store = await opened(t, path);
    const backup = join(temporaryFolder(t), "backup");
    await store.backup(backup);
    await store.transact((tx) => tx.put("later", 1));
    await store.close();
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(await restoreStore(backup, { path, schema }), { schema: 2, revision: 1, entries: 3 });
      assert.deepEqual(readdirSync(path), ["data.mdb", formerFile]);
      assert.equal(statSync(join(path, "data.mdb")).mode & 0o777, 0o600);
      const former = await checkStore({ path: join(path, formerFile), schema });
      assert.equal(former.entries, round === 0 ? 4 : 3);
    }
    const restored = await opened(t, path);
    assert.equal(restored.get("later"), undefined);
    await restored.transact((tx) => tx.put("again", 1));
    assert.equal(restored.revision, 2);
  });

  test("changes nothing when the backup is not in order or there is no room", async (t) => {
    const folder = smallDisk(t, 256);
    const store = await opened(t, join(folder, "store"));
    await store.transact((tx) => tx.put("mine", 1));
    await store.close();
    const refused = async (from: string, code: string, message: RegExp) => {
      const options = { path: join(folder, "store"), schema };
      await assert.rejects(restoreStore(from, options), { code, message });
      const again = await LmdbStore.open(options);
      assert.equal(again.get("mine"), 1);
      await again.close();
    };
    const large = await filled(t, 500);
    await refused(large, "STORE", /it is a folder: a backup is a file/);
    await refused(join(large, "data.mdb"), "DISK_FULL", /the disk is full; nothing was lost/);
    const newer = await filled(t, 1, { ...schema, version: 3, migrations: [] });
    await refused(join(newer, "data.mdb"), "SCHEMA_NEWER", /newer than version 2/);
    truncateSync(join(large, "data.mdb"), 40_000);
    await refused(join(large, "data.mdb"), "STORE", /is cut short/);
    await refused(join(large, "nothing"), "STORE", /could not be restored: ENOENT/);
  });
});
