import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { canonicalJson, deepEqual } from "../../src/core/index.ts";

test("keys are in order and undefined members are left out", () => {
  assert.equal(canonicalJson({ b: 1, a: [{ d: undefined, c: null }] }), '{"a":[{"c":null}],"b":1}');
});

test("values of different types are never equal", () => {
  const bytes = Uint8Array.from([0x35]);
  const values = [5, 5n, "5", "5n", [5], { 0: 5 }, bytes, "35", null, "null", undefined, Number.NaN, true];
  for (const [i, a] of values.entries())
    for (const [j, b] of values.entries()) assert.equal(deepEqual(a, b), i === j, `${i} and ${j}`);
});

test("two values are equal exactly when they are deeply equal", () => {
  const value = fc.jsonValue({ maxDepth: 3, stringUnit: fc.constantFrom("a", "b") });
  const positive = (one: unknown) => JSON.parse(JSON.stringify(one)) as unknown; // without -0, which is 0 here
  fc.assert(
    fc.property(value, value, (left, right) => {
      const [a, b] = [positive(left), positive(right)];
      assert.equal(deepEqual(a, b), isDeepStrictEqual(a, b));
      assert.ok(deepEqual(a, structuredClone(a)));
      assert.equal(canonicalJson(JSON.parse(canonicalJson(a))), canonicalJson(a));
    }),
  );
});

test("two values are equal exactly when their texts are, also those that JSON lacks", () => {
  const leaf = fc.constantFrom<unknown>(
    undefined,
    null,
    0,
    -0,
    1,
    Number.NaN,
    1n,
    "a",
    Buffer.of(1),
    Uint8Array.of(1),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: "small" }, leaf, fc.array(tie("value"), { maxLength: 2 }), tie("object")),
    object: fc.dictionary(fc.constantFrom("a", "b", "__proto__", "toString"), tie("value"), { maxKeys: 3 }),
  }));
  fc.assert(
    fc.property(value, value, (a, b) => {
      assert.equal(deepEqual(a, b), canonicalJson(a) === canonicalJson(b));
    }),
    { numRuns: 2000 },
  );
});
