import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { LmdbStore, type Migration, type Schema } from "../../src/store/index.ts";
import { Program } from "./child-process.ts";
import { crashingMigrations } from "./migration-crasher.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const version1: Schema = { version: 1, migrations: [] };

/** Each version appends its number to every record. */
const append = (from: number): Migration => ({
  from,
  migrate(tx) {
    for (const { key, value } of tx.range("n/")) tx.put(key, `${value}${from + 1}`);
  },
});

describe("the schema version", () => {
  test("a new store has the program's version and runs no migration", async (t) => {
    const path = temporaryFolder(t);
    const never: Migration = { from: 1, migrate: () => assert.fail("nothing to migrate") };
    for (let i = 0; i < 2; i++) {
      const store = await LmdbStore.open({ path, schema: { version: 2, migrations: [never] } });
      assert.equal(store.revision, 0);
      await store.close();
    }
  });

  test("an older store is migrated step by step, once", async (t) => {
    const path = temporaryFolder(t);
    await fill(path);
    const schema: Schema = { version: 4, migrations: [append(3), append(1), append(2)] };
    for (let i = 0; i < 2; i++) {
      const store = await LmdbStore.open({ path, schema });
      assert.deepEqual(
        [...store.range("")],
        [
          { key: "n/1", value: "1234" },
          { key: "n/2", value: "1234" },
        ],
      );
      assert.equal(store.revision, 4);
      await store.close();
    }
  });

  test("a newer store is refused, named, and left as it was", async (t) => {
    const path = temporaryFolder(t);
    await fill(path, { version: 7, migrations: [] });
    const before = fingerprint(path);
    await assert.rejects(LmdbStore.open({ path, schema: version1 }), {
      code: "SCHEMA_NEWER",
      kind: "Unavailable",
      message: /schema version 7, newer than version 1/,
      details: { path, stored: 7, supported: 1 },
    });
    assert.deepEqual(fingerprint(path), before);
    const store = await LmdbStore.open({ path, schema: { version: 7, migrations: [] } });
    assert.equal(store.get("n/1"), "1");
    await store.close();
  });

  test("a store for which a step is missing is refused before any step is taken", async (t) => {
    const path = temporaryFolder(t);
    await fill(path);
    const schema: Schema = { version: 3, migrations: [append(1)] };
    const before = fingerprint(path);
    await assert.rejects(LmdbStore.open({ path, schema }), {
      code: "STORE",
      message: /schema version 1, .* no way from version 2 to 3/,
    });
    assert.deepEqual(fingerprint(path), before);
  });

  test("a migration that throws leaves the version before it, whole", async (t) => {
    const path = temporaryFolder(t);
    await fill(path);
    const failing: Migration = {
      from: 2,
      migrate(tx) {
        append(2).migrate(tx);
        throw new Error("a record it cannot read");
      },
    };
    await assert.rejects(LmdbStore.open({ path, schema: { version: 3, migrations: [append(1), failing] } }), {
      code: "STORE",
      message: /be migrated from schema version 2 to 3: a record it cannot read/,
    });
    const store = await LmdbStore.open({ path, schema: { version: 2, migrations: [] } });
    assert.deepEqual(
      [...store.range("")].map((e) => e.value),
      ["12", "12"],
    );
    await store.close();
  });

  test("a process killed inside a migration leaves the version before it, whole", async (t) => {
    const path = temporaryFolder(t);
    await fill(path);
    assert.equal(await new Program(t, "migration-crasher", [path]).end(), "SIGKILL");
    await assert.rejects(LmdbStore.open({ path, schema: version1 }), {
      details: { path, stored: 2, supported: 1 },
    });
    const store = await LmdbStore.open({
      path,
      schema: { version: 3, migrations: crashingMigrations(() => {}) },
    });
    assert.deepEqual(
      [...store.range("")],
      [
        { key: "n/1", value: "1+2+3" },
        { key: "n/2", value: "1+2+3" },
      ],
    );
    await store.close();
  });

  test("a schema that makes no sense is refused before the folder is made", async (t) => {
    const path = join(temporaryFolder(t), "store");
    const bad: readonly (readonly [Schema, RegExp])[] = [
      [{ version: 0, migrations: [] }, /version 0/],
      [{ version: 1.5, migrations: [] }, /version 1\.5/],
      [{ version: 2, migrations: [append(2)] }, /migration from version 2/],
      [{ version: 2, migrations: [append(0)] }, /migration from version 0/],
      [{ version: 2, migrations: [append(1), append(1)] }, /two migrations from version 1/],
    ];
    for (const [schema, message] of bad) {
      await assert.rejects(LmdbStore.open({ path, schema }), { code: "INTERNAL", message });
    }
    assert.equal(statSync(path, { throwIfNoEntry: false }), undefined);
  });
});

async function fill(path: string, schema: Schema = version1): Promise<void> {
  const store = await LmdbStore.open({ path, schema });
  await store.transact((tx) => {
    tx.put("n/1", "1");
    tx.put("n/2", "1");
  });
  await store.close();
}

/** Name, content and time of the last change of the database's data file, and the names beside it. */
function fingerprint(path: string): unknown {
  const file = join(path, "data.mdb");
  const digest = createHash("sha256").update(readFileSync(file)).digest("hex");
  return { names: readdirSync(path), digest, changed: statSync(file).mtimeMs };
}
