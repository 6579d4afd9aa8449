import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Store, StoreReader, Transaction } from "../../src/store/index.ts";
import type { MakeStore } from "./store-compliance.ts";

type Step =
  | { readonly do: "put"; readonly key: string; readonly value: number }
  | { readonly do: "delete"; readonly key: string }
  | { readonly do: "read"; readonly key: string };

interface Work {
  readonly steps: readonly Step[];
  readonly throws: boolean;
  /** Awaited before the next one is asked for, so that batches are of all sizes. */
  readonly awaited: boolean;
}

// Few keys, some the beginning of others, so that random steps meet.
const key = fc.constantFrom("a", "a/", "a/1", "a/2", "a0", "b", "b/~", "~");
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("put" as const), key, value: fc.nat(99) }),
  fc.record({ do: fc.constant("delete" as const), key }),
  fc.record({ do: fc.constant("read" as const), key }),
);
const work: fc.Arbitrary<Work> = fc.record({
  steps: fc.array(step, { maxLength: 8 }),
  throws: fc.boolean(),
  awaited: fc.boolean(),
});

/** Random transactions on a store and on a Map give the same, at every read. */
export function testModel(name: string, make: MakeStore): void {
  describe(`${name}: model`, () => {
    test("random transactions do what they do to a Map", async (t) => {
      const store = await make(t);
      let revision = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(work, { maxLength: 12 }), async (works) => {
          const model = new Map<string, number>();
          const watched = new Map<string, unknown>();
          const stop = store.watch("", ({ writes }) => {
            for (const w of writes)
              w.value === undefined ? watched.delete(w.key) : watched.set(w.key, w.value);
          });
          const written = await runAll(store, model, works);
          assertSame(store, model);
          assert.deepEqual(sorted(watched), sorted(model));
          assert.equal(store.revision, revision + written);
          stop();
          await store.transact((tx) => clear(tx));
          revision = store.revision;
        }),
        { seed: 11, numRuns: 150 },
      );
    });
  });
}

/** Runs all works on both; gives how many commits wrote something. */
async function runAll(store: Store, model: Map<string, number>, works: readonly Work[]): Promise<number> {
  let written = 0;
  const running: Promise<void>[] = [];
  for (const each of works) {
    const commit = store.transact((tx) => {
      const draft = new Map(model);
      const wrote = runSteps(tx, draft, model, each.steps);
      assertSame(tx, draft);
      if (each.throws) throw new Error("rolled back");
      model.clear();
      for (const [k, v] of draft) model.set(k, v);
      if (wrote) written++;
    });
    running.push(each.throws ? assert.rejects(commit, /rolled back/) : commit);
    if (each.awaited) await Promise.all(running);
  }
  await Promise.all(running);
  return written;
}

/** True when the steps leave a write behind: any put that stays, any delete of what `before` had. */
function runSteps(
  tx: Transaction,
  draft: Map<string, number>,
  before: ReadonlyMap<string, number>,
  steps: readonly Step[],
): boolean {
  const touched = new Set<string>();
  for (const each of steps) {
    if (each.do === "read") {
      assert.equal(tx.get(each.key), draft.get(each.key));
    } else if (each.do === "put") {
      tx.put(each.key, each.value);
      draft.set(each.key, each.value);
      touched.add(each.key);
    } else {
      assert.equal(tx.delete(each.key), draft.delete(each.key));
      if (before.has(each.key)) touched.add(each.key);
      else touched.delete(each.key);
    }
  }
  return touched.size > 0;
}

function assertSame(reader: StoreReader, model: ReadonlyMap<string, number>): void {
  for (const prefix of ["", "a", "a/", "b/", "~", "zz"]) {
    const expected = sorted(model).filter(([k]) => k.startsWith(prefix));
    assert.deepEqual(
      [...reader.range(prefix)].map((e) => [e.key, e.value]),
      expected,
    );
  }
}

function sorted(map: ReadonlyMap<string, unknown>): [string, unknown][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function clear(tx: Transaction): void {
  for (const entry of tx.range("")) tx.delete(entry.key);
}
