import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LmdbStore, type Schema } from "../../src/store/index.ts";
import { Program } from "./child-process.ts";
import { atEnd } from "./cleanup.ts";
import { assertWholeSteps } from "./crash-invariant.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const schema: Schema = { version: 1, migrations: [] };

describe("kill -9", () => {
  test("200 kills of a writer lose no reported commit and leave no half one", {
    timeout: 180_000,
  }, async (t) => {
    const path = temporaryFolder(t);
    const random = randomNumbers(20_261_121);
    let count = 0;
    let unreported = 0;
    let next = new Program(t, "crash-writer", [path]);
    for (let round = 0; round < 200; round++) {
      const writer = next;
      next = new Program(t, "crash-writer", [path]); // its start takes longer than the rest of a round
      const reported = await killSomewhere(writer, random);
      const before = count;
      count = await checkedCount(path, Math.max(before, reported));
      if (count > Math.max(before, reported)) unreported++;
    }
    t.diagnostic(`${count} transactions; ${unreported} kills fell between a commit and its report`);
    assert.ok(count > 1000 && unreported > 5);
  });

  test("a writer killed inside its transaction holds nobody up", { timeout: 60_000 }, async (t) => {
    const path = temporaryFolder(t);
    const store = await LmdbStore.open({ path, schema });
    atEnd(t, () => store.close());
    for (let round = 1; round <= 5; round++) {
      const holder = new Program(t, "lock-holder", [path]);
      await holder.wrote(1); // it is inside its transaction now, and stays there
      let settled = false;
      const mine = store
        .transact((tx) => tx.put("mine", round))
        .then(() => {
          settled = true;
        });
      assert.equal(settled, false);
      await holder.kill();
      await mine;
      assert.deepEqual([...store.range("")], [{ key: "mine", value: round }]);
      assert.equal(store.revision, round);
    }
  });
});

/** Lets the writer write for a random while and kills it; gives the last step that it reported. */
async function killSomewhere(writer: Program, random: () => number): Promise<number> {
  writer.go();
  await writer.wrote(Math.floor(random() * 25));
  const until = process.hrtime.bigint() + BigInt(Math.floor(random() * 1_500_000));
  while (process.hrtime.bigint() < until); // at most 1.5 ms: some three commits, anywhere within them
  await writer.kill();
  return Math.max(0, ...writer.lines.map(Number));
}

async function checkedCount(path: string, reported: number): Promise<number> {
  const store = await LmdbStore.open({ path, schema });
  try {
    return assertWholeSteps(store, reported);
  } finally {
    await store.close();
  }
}

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
