import assert from "node:assert/strict";
import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isWeftError } from "../../src/core/index.ts";
import { checkStore, LmdbStore, type Schema } from "../../src/store/index.ts";
import { seededRandom } from "../cnm/deterministic.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const schema: Schema = { version: 1, migrations: [] };
const pageBytes = 4096;
const entries = 16;

/** What a page may hold after a disk has failed, by its number and what it held. */
const kinds: Readonly<Record<string, (page: number, was: Buffer) => Uint8Array>> = {
  zeros: () => Buffer.alloc(pageBytes),
  ones: () => Buffer.alloc(pageBytes, 0xff),
  garbage: (page) => seededRandom(`page ${page}`).bytes(pageBytes),
  // Where the entries of the page begin, which leads to others, or out of the file.
  "other offsets": (page, was) => withBytes(was, 24, seededRandom(`offsets ${page}`).bytes(40)),
  "one other offset": (page, was) => withBytes(was, 24, seededRandom(`offset ${page}`).bytes(2)),
};

describe("a store whose file is damaged", () => {
  test("in any page, or cut short after any, is refused with what to do, or has lost nothing", async (t) => {
    const path = temporaryFolder(t);
    const store = await LmdbStore.open({ path, schema });
    // In several commits, so that there are pages of older ones between.
    for (let i = 0; i < entries; i++)
      await store.transact((tx) => tx.put(`entry/${i}`, { text: "x".repeat(900), number: i }));
    await store.close();
    const file = join(path, "data.mdb");
    const whole = join(temporaryFolder(t), "whole");
    copyFileSync(file, whole);
    const pages = readFileSync(whole).length / pageBytes;
    let refused = 0;
    const check = async (what: string, damage: () => void) => {
      copyFileSync(whole, file);
      rmSync(join(path, "lock.mdb"), { force: true });
      damage();
      const outcome: unknown = await checkStore({ path, schema }).catch((error: unknown) => error);
      if (isWeftError(outcome, "STORE")) {
        refused++;
        assert.match(outcome.message, /: restore a backup$|not whole: its making was cut short/, what);
      } else assert.deepEqual(outcome, { schema: 1, revision: entries, entries }, what);
    };
    for (let page = 0; page < pages; page++) {
      await check(`cut after ${page}`, () => truncateSync(file, page * pageBytes));
      for (const [kind, contentOf] of Object.entries(kinds)) {
        await check(`${kind} in page ${page}`, () => {
          const bytes = readFileSync(whole);
          const was = bytes.subarray(page * pageBytes, (page + 1) * pageBytes);
          bytes.set(contentOf(page, was), page * pageBytes);
          writeFileSync(file, bytes);
        });
      }
    }
    assert.ok(refused > pages, `${refused} of ${6 * pages} were refused`);
  });
});

function withBytes(page: Buffer, at: number, bytes: Uint8Array): Buffer {
  const changed = Buffer.from(page);
  changed.set(bytes, at);
  return changed;
}
