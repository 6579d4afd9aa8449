import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Store } from "../../src/store/index.ts";
import type { MakeStore } from "./store-compliance.ts";

/** Reading and writing entries: keys, values, order, prefixes. */
export function testEntries(name: string, make: MakeStore): void {
  describe(`${name}: entries`, () => {
    test("a value is what was put, until it is deleted", async (t) => {
      const store = await make(t);
      assert.equal(store.get("a"), undefined);
      await store.transact((tx) => tx.put("a", { x: [1, "two", null, true] }));
      assert.deepEqual(store.get("a"), { x: [1, "two", null, true] });
      assert.equal(await store.transact((tx) => tx.delete("a")), true);
      assert.equal(await store.transact((tx) => tx.delete("a")), false);
      assert.equal(store.get("a"), undefined);
    });

    test("null, false, 0 and the empty string are values", async (t) => {
      const store = await make(t);
      const values = [null, false, 0, "", {}, []];
      await store.transact((tx) => {
        for (const [i, value] of values.entries()) tx.put(`v${i}`, value);
      });
      assert.deepEqual(
        [...store.range("v")].map((e) => e.value),
        values,
      );
    });

    test("any JSON comes back as it was", async (t) => {
      const store = await make(t);
      await fc.assert(
        fc.asyncProperty(fc.jsonValue(), async (value) => {
          await store.transact((tx) => tx.put("k", value));
          // JSON has no -0, and deepEqual, other than strict equality, minds.
          assert.deepEqual(store.get("k"), JSON.parse(JSON.stringify(value)));
        }),
        { seed: 7, numRuns: 100 },
      );
    });

    test("a megabyte and text of every plane come back as they were", async (t) => {
      const store = await make(t);
      const value = { long: "0123456789abcdef".repeat(65_536), text: "é 漢 \u{1f9f6} \ud800 \u0000 \u2028" };
      await store.transact((tx) => tx.put("k", value));
      assert.deepEqual(store.get("k"), value);
    });

    test("what the caller does to a value later changes nothing", async (t) => {
      const store = await make(t);
      const value = { list: [1] };
      await store.transact((tx) => {
        tx.put("k", value);
        value.list.push(2);
      });
      value.list.push(3);
      const read = store.get("k");
      assert.deepEqual(read, { list: [1] });
      Object.assign(read as object, { list: [] }); // it was just seen to be an object
      assert.deepEqual(store.get("k"), { list: [1] });
    });

    test("a range has the keys of its prefix, in byte order", async (t) => {
      const store = await make(t);
      const keys = [
        "a",
        "a ",
        "a/",
        "a/1",
        "a/10",
        "a/2",
        "a/~",
        "a0",
        "aB",
        "a~",
        "a~~",
        "b",
        "B",
        "~",
        " ",
      ];
      await store.transact((tx) => {
        for (const key of keys) tx.put(key, key);
      });
      const sorted = [...keys].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
      for (const prefix of ["", "a", "a/", "a/1", "a~", "~", " ", "b", "c", "a/1/"]) {
        const expected = sorted.filter((key) => key.startsWith(prefix));
        assert.deepEqual(keysOf(store, prefix), expected, `prefix ${JSON.stringify(prefix)}`);
      }
    });

    test("a range is what it was when it was asked for", async (t) => {
      const store = await make(t);
      await store.transact((tx) => {
        for (const key of ["a", "b", "c"]) tx.put(key, 1);
      });
      const range = store.range("");
      await store.transact((tx) => tx.delete("b"));
      assert.deepEqual(
        [...range].map((e) => e.key),
        ["a", "b", "c"],
      );
      assert.deepEqual(keysOf(store, ""), ["a", "c"]);
    });

    test("bad keys are refused, everywhere", async (t) => {
      const store = await make(t);
      const bad = { "": /empty/, ["x".repeat(501)]: /501 characters/, "a\n": /printable/, é: /printable/ };
      for (const [key, message] of Object.entries(bad)) {
        const refusal = { code: "INTERNAL", message };
        assert.throws(() => store.get(key), refusal);
        await assert.rejects(
          store.transact((tx) => tx.put(key, 1)),
          refusal,
        );
        await assert.rejects(
          store.transact((tx) => tx.get(key)),
          refusal,
        );
        await assert.rejects(
          store.transact((tx) => tx.delete(key)),
          refusal,
        );
        if (key === "") continue;
        assert.throws(() => store.range(key), refusal);
        assert.throws(() => store.watch(key, () => {}), refusal);
        await assert.rejects(
          store.transact((tx) => tx.range(key)),
          refusal,
        );
      }
      const longest = "x".repeat(500);
      await store.transact((tx) => tx.put(longest, 1));
      assert.equal(store.get(longest), 1);
    });

    test("values that JSON cannot carry are refused, with their place", async (t) => {
      const store = await make(t);
      const circle: Record<string, unknown> = {};
      circle.self = circle;
      const bad: readonly (readonly [unknown, RegExp])[] = [
        [undefined, /for k: .*undefined/],
        [{ a: [1, Number.NaN] }, /at a\.1: .*NaN/],
        [[Number.POSITIVE_INFINITY], /at 0: .*Infinity/],
        [{ n: 1n }, /at n: .*bigint/],
        [[undefined], /at 0: .*undefined/],
        [new Array(1), /at 0: .*undefined/],
        [() => 1, /function/],
        [Symbol("s"), /symbol/],
        [{ at: new Date(0) }, /at at: .*Date/],
        [new Map(), /Map/],
        [new Uint8Array(1), /Uint8Array/],
        [circle, /too deep/],
      ];
      for (const [value, message] of bad) {
        await assert.rejects(
          store.transact((tx) => tx.put("k", value)),
          { code: "INTERNAL", message },
        );
      }
      assert.equal(store.get("k"), undefined);
      await store.transact((tx) => tx.put("k", { left: undefined, kept: 1 }));
      assert.deepEqual(store.get("k"), { kept: 1 });
    });
  });
}

function keysOf(store: Store, prefix: string): string[] {
  return [...store.range(prefix)].map((entry) => entry.key);
}
