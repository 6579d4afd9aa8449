import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Store, StoreChange, Transaction } from "../../src/store/index.ts";
import type { MakeStore } from "./store-compliance.ts";

/** Atomicity, isolation, revisions, and the end of a store. */
export function testTransactions(name: string, make: MakeStore): void {
  describe(`${name}: transactions`, () => {
    test("a transaction sees its own writes, in order among the others", async (t) => {
      const store = await make(t);
      await store.transact((tx) => {
        for (const key of ["b", "d", "f"]) tx.put(key, "old");
      });
      await store.transact((tx) => {
        tx.put("a", "new");
        tx.put("d", "new");
        tx.put("g", "new");
        assert.equal(tx.delete("f"), true);
        assert.equal(tx.get("f"), undefined);
        assert.equal(tx.get("d"), "new");
        assert.deepEqual(entriesOf(tx), { a: "new", b: "old", d: "new", g: "new" });
        tx.put("f", "again");
        assert.deepEqual(Object.keys(entriesOf(tx)), ["a", "b", "d", "f", "g"]);
      });
      assert.deepEqual(entriesOf(store), { a: "new", b: "old", d: "new", f: "again", g: "new" });
    });

    test("a loop over a range may change what it loops over", async (t) => {
      const store = await make(t);
      await store.transact((tx) => {
        for (let i = 0; i < 100; i++) tx.put(`k${i}`, i);
      });
      await store.transact((tx) => {
        for (const { key, value } of tx.range("k")) {
          tx.delete(key);
          tx.put(`moved/${key}`, value);
        }
      });
      assert.equal([...store.range("k")].length, 0);
      assert.equal([...store.range("moved/")].length, 100);
    });

    test("nobody sees a transaction before it has resolved, nor half of it", async (t) => {
      const store = await make(t);
      const commit = store.transact((tx) => {
        tx.put("a", 1);
        tx.put("b", 1);
      });
      assert.deepEqual(entriesOf(store), {});
      await commit;
      assert.deepEqual(entriesOf(store), { a: 1, b: 1 });
    });

    test("a throw rolls back its own transaction only, and is what the caller gets", async (t) => {
      const store = await make(t);
      const seen: StoreChange[] = [];
      store.watch("", (change) => seen.push(change));
      const failure = new Error("no");
      const results = await Promise.allSettled([
        store.transact((tx) => tx.put("a", 1)),
        store.transact((tx) => {
          tx.put("a", 2);
          tx.put("b", 2);
          throw failure;
        }),
        store.transact((tx) => [tx.get("a"), tx.get("b"), tx.put("c", 3)]),
      ]);
      assert.equal(results[0]?.status, "fulfilled");
      assert.deepEqual(results[1], { status: "rejected", reason: failure });
      assert.deepEqual(results[2], { status: "fulfilled", value: [1, undefined, undefined] });
      assert.deepEqual(entriesOf(store), { a: 1, c: 3 });
      assert.equal(store.revision, 2);
      assert.deepEqual(
        seen.flatMap((change) => change.writes),
        [
          { key: "a", value: 1 },
          { key: "c", value: 3 },
        ],
      );
    });

    test("even undefined may be thrown", async (t) => {
      const store = await make(t);
      const nothing = store.transact((tx) => {
        tx.put("a", 1);
        throw undefined;
      });
      assert.deepEqual(await Promise.allSettled([nothing]), [{ status: "rejected", reason: undefined }]);
      assert.equal(store.get("a"), undefined);
    });

    test("concurrent increments all count", async (t) => {
      const store = await make(t);
      const values = await Promise.all(
        Array.from({ length: 500 }, (_, i) =>
          store
            .transact((tx) => {
              const next = Number(tx.get("n") ?? 0) + 1;
              tx.put("n", next);
              if (i % 10 === 3) throw new Error("rolled back");
              return next;
            })
            .catch(() => 0),
        ),
      );
      assert.equal(store.get("n"), 450);
      assert.deepEqual(
        values.filter((v) => v > 0),
        Array.from({ length: 450 }, (_, i) => i + 1),
      );
      assert.equal(store.revision, 450);
    });

    test("the revision counts the commits that wrote something", async (t) => {
      const store = await make(t);
      assert.equal(store.revision, 0);
      await store.transact((tx) => tx.put("a", 1));
      assert.equal(store.revision, 1);
      await store.transact((tx) => tx.get("a"));
      await store.transact((tx) => tx.delete("b"));
      await store.transact((tx) => {
        tx.put("c", 1);
        tx.delete("c");
      });
      assert.equal(store.revision, 1);
      await store.transact((tx) => tx.delete("a"));
      assert.equal(store.revision, 2);
    });

    test("an asynchronous function is refused, and its later writes with it", async (t) => {
      const store = await make(t);
      let late: unknown;
      const asynchronous = store.transact(async (tx) => {
        tx.put("a", 1);
        await null;
        try {
          tx.put("b", 1);
        } catch (error) {
          late = error;
        }
      });
      await assert.rejects(asynchronous, { code: "INTERNAL", message: /synchronous/ });
      assert.deepEqual(entriesOf(store), {});
      assert.match(String(late), /after its function had returned/);
    });

    test("a transaction is of no use once its function has returned", async (t) => {
      const store = await make(t);
      const kept: Transaction = await store.transact((tx) => ({ ...methodsOf(tx) }));
      const refusal = { code: "INTERNAL", message: /after its function had returned/ };
      for (const use of [() => kept.get("a"), () => kept.put("a", 1), () => kept.delete("a")]) {
        assert.throws(use, refusal);
      }
      assert.throws(() => kept.range(""), refusal);
    });

    test("a transaction's function cannot use the store itself", async (t) => {
      const store = await make(t);
      const refusal = { code: "INTERNAL", message: /inside a transaction/ };
      await assert.rejects(
        store.transact(() => store.get("a")),
        refusal,
      );
      await assert.rejects(
        store.transact(() => [...store.range("a")]),
        refusal,
      );
      let inner: Promise<void> | undefined;
      await store.transact(() => {
        inner = assert.rejects(
          store.transact((tx) => tx.put("a", 1)),
          refusal,
        );
      });
      await inner;
      await store.transact((tx) => tx.put("a", 2));
      assert.equal(store.get("a"), 2);
    });

    test("close waits for commits under way and refuses all that comes later", async (t) => {
      const store = await make(t);
      const seen: number[] = [];
      store.watch("", (change) => seen.push(change.revision));
      const commits = [1, 2, 3].map((i) => store.transact((tx) => tx.put(`k${i}`, i)));
      const closed = store.close();
      await assert.rejects(
        store.transact((tx) => tx.put("late", 1)),
        { code: "STORE", message: /is closed/ },
      );
      await closed;
      await Promise.all(commits);
      assert.deepEqual(seen, [1, 2, 3]);
      const refusal = { code: "STORE", message: /is closed/ };
      assert.throws(() => store.get("k1"), refusal);
      assert.throws(() => store.range(""), refusal);
      assert.throws(() => store.revision, refusal);
      assert.throws(() => store.watch("", () => {}), refusal);
      await store.close();
    });
  });
}

function entriesOf(reader: Pick<Store, "range">): Record<string, unknown> {
  return Object.fromEntries([...reader.range("")].map((entry) => [entry.key, entry.value]));
}

function methodsOf(tx: Transaction): Transaction {
  return {
    get: (key) => tx.get(key),
    range: (prefix) => tx.range(prefix),
    put: (key, value) => tx.put(key, value),
    delete: (key) => tx.delete(key),
  };
}
