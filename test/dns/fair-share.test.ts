import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FairShare } from "../../src/dns/fair-share.ts";

/** Takes places for `claimant` until there are none; gives their number. */
function takeAll(places: FairShare<string>, claimant: string): number {
  let taken = 0;
  while (places.take(claimant)) taken++;
  return taken;
}

test("who wants everything gets half, and leaves room for those who come later", () => {
  const places = new FairShare<string>(96);
  assert.equal(takeAll(places, "a"), 48);
  assert.equal(takeAll(places, "b"), 24);
  assert.equal(takeAll(places, "c"), 12);
  assert.equal(places.takenBy("a"), 48);
  assert.equal(places.taken, 84);
});

test("those who give places back get them again only in their share", () => {
  const places = new FairShare<string>(90);
  takeAll(places, "a");
  takeAll(places, "b");
  for (let i = 0; i < 200; i++) {
    places.give("a");
    places.take("b");
    places.take("a");
  }
  const [a, b] = [places.takenBy("a"), places.takenBy("b")];
  assert.ok(a >= 29 && a <= 31 && b >= 29 && b <= 31, `${a} and ${b} of 90`);
});

test("there is always a place for someone new, and the count is right", () => {
  const step = fc.record({ who: fc.constantFrom("a", "b", "c", "d"), take: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 16, max: 60 }), fc.array(step, { maxLength: 300 }), (total, steps) => {
      const places = new FairShare<string>(total);
      for (const { who, take } of steps) {
        if (take) places.take(who);
        else places.give(who);
        const sum = ["a", "b", "c", "d"].reduce((all, one) => all + places.takenBy(one), 0);
        assert.equal(places.taken, sum);
        assert.ok(places.taken < total);
      }
      assert.equal(places.take("new"), true);
    }),
  );
});
