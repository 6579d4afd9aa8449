import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  findByPrefix,
  type Id,
  isId,
  isWeftError,
  newId,
  parseId,
  shortId,
  systemRandom,
} from "../../src/core/index.ts";

const id = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => newId({ bytes: () => bytes }));

test("an id is 64 lower-case hexadecimal digits", () => {
  const one = newId(systemRandom);
  assert.ok(isId(one));
  assert.equal(parseId(one), one);
  assert.equal(shortId(one), one.slice(0, 12));
  for (const text of ["", one.slice(1), `${one}0`, one.slice(1).concat("g"), "A".repeat(64)])
    assert.throws(
      () => parseId(text),
      (error) => isWeftError(error, "INVALID_ID"),
      text,
    );
});

test("a prefix finds the only id that begins with it", () => {
  const a = parseId("a".repeat(64));
  const ab = parseId(`ab${"0".repeat(62)}`);
  assert.equal(findByPrefix([a, ab], "aa"), a);
  assert.equal(findByPrefix([a, ab], ab), ab);
  for (const none of ["b", "", "A", "x", `${a}a`]) assert.equal(findByPrefix([a, ab], none), undefined);
  assert.throws(
    () => findByPrefix([a, ab], "a"),
    (error) => isWeftError(error, "AMBIGUOUS_ID") && error.message.startsWith("2 matches found"),
  );
});

test("each id is found by every prefix that only it has", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(id, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 64 }),
      (ids, length) => {
        for (const one of ids) {
          const prefix = one.slice(0, length);
          const matches = ids.filter((other: Id) => other.startsWith(prefix));
          if (matches.length === 1) assert.equal(findByPrefix(ids, prefix), one);
          else assert.throws(() => findByPrefix(ids, prefix));
        }
      },
    ),
  );
});
