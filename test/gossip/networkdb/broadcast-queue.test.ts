import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BroadcastQueue, transmitLimit } from "../../../src/gossip/networkdb/broadcast-queue.ts";

const message = (byte: number, length = 10) => new Uint8Array(length).fill(byte);
const firstBytes = (messages: readonly Uint8Array[]) => messages.map((one) => one[0]);

test("those given out least come first, of them the oldest; each as often as it may", () => {
  const queue = new BroadcastQueue(100);
  const round = (limit: number) => {
    const taken = firstBytes(queue.take({ overhead: 0, limit }));
    queue.putBack(2);
    return taken;
  };
  for (const byte of [1, 2, 3]) queue.add(`k${byte}`, message(byte));
  assert.deepEqual(round(20), [1, 2]);
  assert.deepEqual(round(20), [3, 1]);
  queue.add("k4", message(4));
  assert.deepEqual(round(100), [4, 2, 3]);
  assert.deepEqual(round(100), [4]);
  assert.equal(queue.size, 0);
});

test("a newer message of a name takes the older one's place, also while that is given out", () => {
  const queue = new BroadcastQueue(100);
  queue.add("k", message(1));
  queue.add("k", message(2));
  assert.deepEqual(firstBytes(queue.take({ overhead: 0, limit: 100 })), [2]);
  queue.add("k", message(3));
  queue.putBack(4);
  assert.deepEqual(firstBytes(queue.take({ overhead: 0, limit: 100 })), [3]);
  queue.putBack(1);
  assert.equal(queue.size, 0);
});

test("in one round each is given out once, and of a new round only what is new, if that is wanted", () => {
  const queue = new BroadcastQueue(100);
  queue.add("k", message(1));
  assert.equal(queue.take({ overhead: 0, limit: 100 }).length, 1);
  assert.equal(queue.take({ overhead: 0, limit: 100 }).length, 0);
  queue.putBack(4);
  assert.equal(queue.take({ overhead: 0, limit: 100, newOnly: true }).length, 0);
  assert.equal(queue.take({ overhead: 0, limit: 100 }).length, 1);
});

test("one too many takes the place of one that was given out most often", () => {
  const queue = new BroadcastQueue(2);
  assert.equal(queue.add("a", message(1)), true);
  queue.take({ overhead: 0, limit: 100 });
  queue.putBack(4);
  assert.equal(queue.add("b", message(2)), true);
  assert.equal(queue.add("c", message(3)), false);
  assert.deepEqual(firstBytes(queue.take({ overhead: 0, limit: 100 })), [2, 3]);
});

test("what is taken fits its room with its overhead, and nothing is lost or invented", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 40 });
  fc.assert(
    fc.property(
      lengths,
      fc.nat(600),
      fc.nat(10),
      fc.integer({ min: 1, max: 4 }),
      (sizes, limit, overhead, times) => {
        const queue = new BroadcastQueue(1_000);
        for (const [i, size] of sizes.entries()) queue.add(`k${i}`, message(i, size));
        const given = new Map<number, number>();
        for (let round = 0; round < 500; round++) {
          const taken = queue.take({ overhead, limit });
          assert.ok(taken.reduce((sum, one) => sum + one.length + overhead, 0) <= limit);
          assert.equal(new Set(taken.map((one) => one[0])).size, taken.length);
          for (const one of taken) given.set(one[0] ?? -1, (given.get(one[0] ?? -1) ?? 0) + 1);
          queue.putBack(times);
        }
        for (const [i, size] of sizes.entries())
          assert.equal(given.get(i) ?? 0, size + overhead <= limit ? times : 0, `message ${i}`);
      },
    ),
  );
});

test("a message is given out as often as memberlist's formula says", () => {
  const table = [
    [1, 4],
    [3, 4],
    [10, 8],
    [100, 12],
    [1_000, 16],
    [10_000, 20],
  ] as const;
  for (const [nodes, times] of table) assert.equal(transmitLimit(4, nodes), times, `${nodes} nodes`);
});
