import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AnswerCache } from "../../../src/dns/forward/answer-cache.ts";
import type { LookupResult } from "../../../src/dns/forward/lookup-result.ts";

function answer(lifeSeconds: number, answers = 1, bytes = 100): LookupResult {
  return {
    kind: "answer",
    message: new Uint8Array(bytes),
    rcode: answers === 0 ? 3 : 0,
    authentic: false,
    truncated: false,
    counts: [answers, 0, 0],
    ttlOffsets: [],
    lifeSeconds,
  };
}

test("what may be kept is kept for its time, and no longer than is good", () => {
  const table: readonly (readonly [result: LookupResult, seconds: number])[] = [
    [answer(60), 60],
    [answer(0), 0],
    [answer(1_000_000), 3600],
    [answer(60, 0), 60],
    [answer(1_000_000, 0), 300],
    [{ kind: "failure", rcode: 2, lifeSeconds: 1 }, 1],
    [{ kind: "failure", rcode: 2, lifeSeconds: 0 }, 0],
  ];
  for (const [result, seconds] of table) {
    const cache = new AnswerCache();
    cache.put("a", result, 5000);
    assert.equal(cache.get("a", 5000 + seconds * 1000 - 1)?.result, seconds === 0 ? undefined : result);
    assert.equal(cache.get("a", 5000 + seconds * 1000), undefined);
    assert.deepEqual(cache.size, { entries: 0, bytes: 0 });
  }
});

test("a new answer takes the place of the old one, and clearing forgets all", () => {
  const cache = new AnswerCache();
  cache.put("a", answer(60), 0);
  const { bytes } = cache.size;
  cache.put("a", answer(90), 0);
  assert.equal(cache.get("a", 89_000)?.result.lifeSeconds, 90);
  assert.deepEqual(cache.size, { entries: 1, bytes });
  cache.clear();
  assert.equal(cache.get("a", 0), undefined);
  assert.deepEqual(cache.size, { entries: 0, bytes: 0 });
});

test("what was used longest ago goes first", () => {
  const cache = new AnswerCache({ entries: 3, bytes: 1 << 20 });
  for (const key of ["a", "b", "c"]) cache.put(key, answer(60), 0);
  cache.get("a", 1);
  cache.put("d", answer(60), 1);
  const kept = ["a", "b", "c", "d"].filter((key) => cache.get(key, 2) !== undefined);
  assert.deepEqual(kept, ["a", "c", "d"]);
});

test("it never holds more than it may, and its count of bytes is right", () => {
  const step = fc.record({
    key: fc.nat(30),
    life: fc.nat(3),
    size: fc.nat(3000),
    wait: fc.nat(2000),
    get: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const limits = { entries: 8, bytes: 12_000 };
      const cache = new AnswerCache(limits);
      let now = 0;
      for (const { key, life, size, wait, get } of steps) {
        now += wait;
        if (get) cache.get(`${key}`, now);
        else cache.put(`${key}`, answer(life, 1, size), now);
        const { entries, bytes } = cache.size;
        assert.ok(entries <= limits.entries && bytes <= limits.bytes);
        assert.equal(bytes === 0, entries === 0);
      }
      for (let key = 0; key <= 30; key++) cache.get(`${key}`, now + 10_000);
      assert.deepEqual(cache.size, { entries: 0, bytes: 0 });
    }),
  );
});

test("what is larger than all of it is not kept", () => {
  const cache = new AnswerCache({ entries: 8, bytes: 1000 });
  cache.put("a", answer(60), 0);
  cache.put("b", answer(60, 1, 2000), 0);
  assert.equal(cache.get("b", 1), undefined);
  assert.notEqual(cache.get("a", 1), undefined);
});
