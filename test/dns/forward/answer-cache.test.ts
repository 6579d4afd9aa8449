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
    hasWantedType: answers > 0,
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
    cache.put("a", result, 5000, "one");
    assert.equal(
      cache.get("a", 5000 + seconds * 1000 - 1, "one")?.result,
      seconds === 0 ? undefined : result,
    );
    assert.equal(cache.get("a", 5000 + seconds * 1000, "one"), undefined);
    assert.deepEqual(cache.size, { entries: 0, bytes: 0 });
  }
});

test("a new answer takes the place of the old one, and clearing forgets all", () => {
  const cache = new AnswerCache();
  cache.put("a", answer(60), 0, "one");
  const { bytes } = cache.size;
  cache.put("a", answer(90), 0, "one");
  assert.equal(cache.get("a", 89_000, "one")?.result.lifeSeconds, 90);
  assert.deepEqual(cache.size, { entries: 1, bytes });
  cache.clear();
  assert.equal(cache.get("a", 0, "one"), undefined);
  assert.deepEqual(cache.size, { entries: 0, bytes: 0 });
});

test("what was used longest ago goes first", () => {
  const cache = new AnswerCache({ entries: 3, bytes: 1 << 20 });
  for (const key of ["a", "b", "c"]) cache.put(key, answer(60), 0, "one");
  cache.get("a", 1, "one");
  cache.put("d", answer(60), 1, "one");
  const kept = ["a", "b", "c", "d"].filter((key) => cache.get(key, 2, "one") !== undefined);
  assert.deepEqual(kept, ["a", "c", "d"]);
});

test("it never holds more than it may, and its count of bytes is right", () => {
  const step = fc.record({
    key: fc.nat(30),
    life: fc.nat(3),
    size: fc.nat(3000),
    wait: fc.nat(2000),
    owner: fc.constantFrom("a", "b", "c"),
    does: fc.constantFrom("put", "put", "put", "get", "get", "disown"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const limits = { entries: 8, bytes: 12_000 };
      const cache = new AnswerCache(limits);
      let now = 0;
      for (const { key, life, size, wait, owner, does } of steps) {
        now += wait;
        if (does === "get") cache.get(`${key}`, now, owner);
        else if (does === "put") cache.put(`${key}`, answer(life, 1, size), now, owner);
        else cache.disown(owner);
        const { entries, bytes } = cache.size;
        assert.ok(entries <= limits.entries && bytes <= limits.bytes);
        assert.equal(bytes === 0, entries === 0);
      }
      for (let key = 0; key <= 30; key++) cache.get(`${key}`, now + 10_000, "one");
      assert.deepEqual(cache.size, { entries: 0, bytes: 0 });
    }),
  );
});

test("who asks for a great many names pushes out only its own", () => {
  for (const limits of [
    { entries: 100, bytes: 1 << 20 },
    { entries: 10_000, bytes: 100_000 },
  ]) {
    const cache = new AnswerCache<string>(limits);
    for (let i = 0; i < 10; i++) cache.put(`calm${i}`, answer(60), 0, "calm");
    for (let i = 0; i < 1000; i++) cache.put(`flood${i}`, answer(60, 1, 300), 0, "flooder");
    const kept = Array.from({ length: 10 }, (_, i) => cache.get(`calm${i}`, 1, "other"));
    assert.ok(kept.every((one) => one !== undefined));
    assert.equal(cache.get("flood0", 1, "flooder"), undefined);
    assert.notEqual(cache.get("flood999", 1, "flooder"), undefined);
    const { entries, bytes } = cache.size;
    assert.ok(entries <= limits.entries && bytes <= limits.bytes);
  }
});

test("what was kept for one who is gone goes first, unless somebody still asks for it", () => {
  const cache = new AnswerCache<string>({ entries: 4, bytes: 1 << 20 });
  for (const key of ["a", "b"]) cache.put(key, answer(60), 0, "gone");
  for (const key of ["c", "d"]) cache.put(key, answer(60), 0, "here");
  cache.disown("gone");
  cache.disown("nobody");
  assert.notEqual(cache.get("b", 1, "other"), undefined);
  const kept = (...keys: readonly string[]) => keys.filter((key) => cache.get(key, 2, "other") !== undefined);
  cache.put("e", answer(60), 1, "here");
  assert.deepEqual(kept("b", "c", "d", "e"), ["b", "c", "d", "e"], "a went");
  cache.put("f", answer(60), 2, "here");
  assert.deepEqual(kept("b", "c", "d", "e", "f"), ["b", "d", "e", "f"], "the oldest of whom has most went");
  assert.equal(cache.get("b", 60_000, "other"), undefined);
});

test("what is larger than all of it is not kept", () => {
  const cache = new AnswerCache({ entries: 8, bytes: 1000 });
  cache.put("a", answer(60), 0, "one");
  cache.put("b", answer(60, 1, 2000), 0, "one");
  assert.equal(cache.get("b", 1, "one"), undefined);
  assert.notEqual(cache.get("a", 1, "one"), undefined);
});
