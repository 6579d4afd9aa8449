import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { endOfPrefix } from "../../src/store/key.ts";

test("the keys of a prefix are those from it up to its end", () => {
  const text = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)) });
  fc.assert(
    fc.property(text, text, (prefix, key) => {
      const end = endOfPrefix(prefix);
      const inside = key >= prefix && (end === undefined || key < end);
      assert.equal(inside, key.startsWith(prefix));
      const longer = prefix + key;
      assert.ok(longer >= prefix && (end === undefined || longer < end));
    }),
    { seed: 3, numRuns: 2000 },
  );
});
