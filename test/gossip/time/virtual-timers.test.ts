import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seededDice, systemTimers, VirtualTimers } from "../../../src/gossip/index.ts";

test("alarms ring in the order of their times, those of one time in the order in which they were set", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ delay: fc.nat(50), cancelled: fc.boolean() }), { maxLength: 100 }),
      (alarms) => {
        const timers = new VirtualTimers();
        const rung: number[] = [];
        const expected = alarms
          .map((alarm, i) => ({ ...alarm, i }))
          .filter(({ cancelled }) => !cancelled)
          .sort((a, b) => a.delay - b.delay || a.i - b.i);
        for (const [i, { delay, cancelled }] of alarms.entries()) {
          const cancel = timers.after(delay, () => {
            assert.equal(timers.monotonic(), delay);
            rung.push(i);
          });
          if (cancelled) cancel();
        }
        timers.advance(60);
        assert.deepEqual(
          rung,
          expected.map(({ i }) => i),
        );
        assert.equal(timers.monotonic(), 60);
      },
    ),
  );
});

test("an alarm may set another one, and time stops where it is asked to", () => {
  const timers = new VirtualTimers();
  let rings = 0;
  const again = () => {
    rings++;
    timers.after(10, again);
  };
  timers.after(0, again);
  timers.advance(35);
  assert.equal(rings, 4);
  assert.equal(
    timers.advanceUntil(() => rings === 6, 1000),
    true,
  );
  assert.equal(timers.monotonic(), 50);
  assert.equal(
    timers.advanceUntil(() => rings === 99, 100),
    false,
  );
  assert.equal(timers.monotonic(), 150);
});

test("dice fall the same for one seed, within their limits, and otherwise for another", () => {
  const falls = (seed: number) => {
    const dice = seededDice(seed);
    return Array.from({ length: 200 }, () => dice.below(6));
  };
  assert.deepEqual(falls(7), falls(7));
  assert.notDeepEqual(falls(7), falls(8));
  assert.deepEqual([...new Set(falls(7))].sort(), [0, 1, 2, 3, 4, 5]);
});

test("real alarms ring, and those that were cancelled do not", async () => {
  const rung: string[] = [];
  await new Promise<void>((resolve) => {
    systemTimers.after(1, () => rung.push("cancelled"))();
    systemTimers.after(2, () => {
      rung.push("kept");
      resolve();
    });
  });
  assert.deepEqual(rung, ["kept"]);
});
