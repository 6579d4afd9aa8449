import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { StoreChange } from "../../src/store/index.ts";
import type { MakeStore } from "./store-compliance.ts";

/** What watchers are told, and when. */
export function testWatching(name: string, make: MakeStore): void {
  describe(`${name}: watching`, () => {
    test("a watcher hears of its own prefix only", async (t) => {
      const store = await make(t);
      const changes: StoreChange[] = [];
      store.watch("a/", (change) => changes.push(change));
      await store.transact((tx) => tx.put("a/1", { v: 1 }));
      await store.transact((tx) => tx.put("b/1", 1));
      await store.transact((tx) => {
        tx.put("a/2", 2);
        tx.put("a", 2);
        tx.put("b/2", 2);
        tx.delete("a/1");
      });
      assert.deepEqual(
        changes.map((c) => c.revision),
        [1, 3],
      );
      assert.deepEqual(changes[0]?.writes, [{ key: "a/1", value: { v: 1 } }]);
      assert.deepEqual(
        new Set(changes[1]?.writes),
        new Set([
          { key: "a/2", value: 2 },
          { key: "a/1", value: undefined },
        ]),
      );
    });

    test("only the last of several writes of a key is told", async (t) => {
      const store = await make(t);
      const changes: StoreChange[] = [];
      store.watch("", (change) => changes.push(change));
      await store.transact((tx) => {
        tx.put("a", 1);
        tx.put("a", 2);
        tx.put("gone", 1);
        tx.delete("gone");
      });
      assert.deepEqual(changes, [{ revision: 1, writes: [{ key: "a", value: 2 }] }]);
    });

    test("changes come in revision order, readable, before the caller goes on", async (t) => {
      const store = await make(t);
      const log: string[] = [];
      store.watch("", ({ revision, writes }) => {
        for (const { key, value } of writes) assert.ok(Number(store.get(key)) >= Number(value));
        log.push(`told ${revision}`);
      });
      await Promise.all(
        [1, 2, 3, 4].map(async (i) => {
          await store.transact((tx) => tx.put("n", i));
          log.push(`done ${i}`);
        }),
      );
      assert.deepEqual(
        log.filter((line) => line.startsWith("told")),
        ["told 1", "told 2", "told 3", "told 4"],
      );
      for (const i of [1, 2, 3, 4]) assert.ok(log.indexOf(`told ${i}`) < log.indexOf(`done ${i}`));
    });

    test("one listener's changes to what it is told reach no other", async (t) => {
      const store = await make(t);
      const told: unknown[] = [];
      for (let i = 0; i < 2; i++) {
        store.watch("", ({ writes }) => {
          const value = writes[0]?.value;
          assert.ok(Array.isArray(value));
          told.push([...value]);
          value.push("spoiled");
        });
      }
      await store.transact((tx) => tx.put("a", [1]));
      assert.deepEqual(told, [[1], [1]]);
      assert.deepEqual(store.get("a"), [1]);
    });

    test("a watcher hears nothing of what was before it nor after it left", async (t) => {
      const store = await make(t);
      const revisions: number[] = [];
      await store.transact((tx) => tx.put("a", 1));
      const stop = store.watch("", (change) => revisions.push(change.revision));
      await store.transact((tx) => tx.put("a", 2));
      stop();
      stop();
      await store.transact((tx) => tx.put("a", 3));
      assert.deepEqual(revisions, [2]);
    });

    test("a listener may write", async (t) => {
      const store = await make(t);
      let answer: Promise<unknown> | undefined;
      store.watch("question", () => {
        answer = store.transact((tx) => tx.put("answer", tx.get("question")));
      });
      await store.transact((tx) => tx.put("question", 42));
      await answer;
      assert.equal(store.get("answer"), 42);
    });
  });
}
