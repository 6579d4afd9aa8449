import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareVersions, type Entry, eventOf } from "../../../src/gossip/networkdb/entry.ts";
import { LamportClock, maxLeap } from "../../../src/gossip/networkdb/lamport-clock.ts";
import { Tables } from "../../../src/gossip/networkdb/tables.ts";

const version: fc.Arbitrary<Entry> = fc.record(
  {
    owner: fc.constantFrom("a", "b", "c"),
    time: fc.integer({ min: 1, max: 3 }),
    value: fc.uint8Array({ maxLength: 2, max: 2 }),
    reapAt: fc.constantFrom(undefined, 1_000),
  },
  { noNullPrototype: true },
);

test("versions of one key have one order: whoever has seen the same keeps the same", () => {
  fc.assert(
    fc.property(
      fc.array(version, { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(fc.nat()),
      (versions, dice) => {
        const last = (all: readonly Entry[]) => all.reduce((a, b) => (compareVersions(b, a) > 0 ? b : a));
        const shuffled = versions
          .map((one) => ({ one, at: dice.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one);
        assert.deepEqual(last(shuffled), last(versions));
      },
    ),
    { numRuns: 1_000 },
  );
});

test("a later version stays, whatever it says; of two at the same time, the rules decide", () => {
  const entry: Entry = { owner: "a", time: 5, value: Uint8Array.of(5), reapAt: undefined };
  const table: readonly (readonly [string, Partial<Entry>])[] = [
    ["a later time", { time: 6, value: Uint8Array.of(1) }],
    ["a greater owner", { owner: "b", value: Uint8Array.of(1) }],
    ["a deletion", { reapAt: 1, value: Uint8Array.of(1) }],
    ["a greater value", { value: Uint8Array.of(6) }],
  ];
  for (const [name, other] of table) {
    assert.ok(compareVersions({ ...entry, ...other }, entry) > 0, name);
    assert.ok(compareVersions(entry, { ...entry, ...other }) < 0, name);
  }
  assert.equal(compareVersions(entry, { ...entry }), 0);
});

test("a tombstone tells how long it has, and nothing once that is less than a second", () => {
  const place = { network: "n", table: "t", key: "k" };
  const tombstone: Entry = { owner: "a", time: 5, value: Uint8Array.of(5), reapAt: 10_000 };
  assert.equal(eventOf(place, tombstone, 4_500)?.residualSeconds, 5);
  assert.equal(eventOf(place, tombstone, 9_000)?.residualSeconds, 1);
  assert.equal(eventOf(place, tombstone, 9_001), undefined);
  assert.equal(eventOf(place, { ...tombstone, reapAt: undefined }, 9_001)?.residualSeconds, 0);
});

test("tombstones are forgotten when their time has come, and nothing else is", () => {
  const tables = new Tables();
  const entry: Entry = { owner: "a", time: 5, value: Uint8Array.of(5), reapAt: undefined };
  tables.set("t", "live", entry);
  tables.set("t", "early", { ...entry, reapAt: 100 });
  tables.set("t", "late", { ...entry, reapAt: 200 });
  tables.set("t", "again", { ...entry, reapAt: 100 });
  tables.set("t", "again", entry);
  assert.equal(tables.reap(150), 1);
  assert.deepEqual(
    [...tables.list("t")].map(([key]) => key),
    ["live", "late", "again"],
  );
  assert.equal(tables.size, 3);
  tables.reap(200);
  for (const key of ["live", "again"]) tables.remove("t", key);
  assert.deepEqual([tables.size, tables.names()], [0, []]);
});

test("a clock is later than all it has seen, and takes no absurd time", () => {
  const clock = new LamportClock();
  assert.equal(clock.increment(), 1);
  assert.ok(clock.witness(41));
  assert.equal(clock.increment(), 42);
  assert.ok(clock.witness(7));
  assert.equal(clock.time, 42);
  for (const absurd of [-1, 1.5, Number.NaN, 42 + maxLeap + 1, 2 ** 53, Number(2n ** 64n - 1n)])
    assert.equal(clock.witness(absurd), false, String(absurd));
  assert.equal(clock.time, 42);
  assert.ok(clock.witness(42 + maxLeap));
});
