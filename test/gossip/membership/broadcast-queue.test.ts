import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BroadcastQueue } from "../../../src/gossip/membership/broadcast-queue.ts";
import { retransmitLimit } from "../../../src/gossip/membership/formulas.ts";

/** The rules of gossip.md B.9 as plainly as they can be written. */
class PlainQueue {
  items: { text: string; subject: string | undefined; transmits: number; id: number }[] = [];
  finished: string[] = [];
  #ids = 0;

  add(text: string, subject: string | undefined): void {
    const older = this.items.find((one) => subject !== undefined && one.subject === subject);
    if (older !== undefined) this.#finish(older);
    this.items.push({ text, subject, transmits: 0, id: this.#ids++ });
  }

  take(overhead: number, limit: number, nodes: number): string[] {
    const order = [...this.items].sort(
      (a, b) => a.transmits - b.transmits || b.text.length - a.text.length || b.id - a.id,
    );
    let used = 0;
    const taken = order.filter(({ text }) => {
      if (used + overhead + text.length > limit) return false;
      used += overhead + text.length;
      return true;
    });
    for (const one of taken) {
      one.transmits++;
      if (one.transmits >= retransmitLimit(4, nodes)) this.#finish(one);
    }
    return taken.map(({ text }) => text);
  }

  #finish(one: (typeof this.items)[number]): void {
    this.items = this.items.filter((other) => other !== one);
    this.finished.push(one.text);
  }
}

test("messages leave in memberlist's order, as often as they should, and newer ones replace older ones", () => {
  const add = fc.record({ length: fc.nat(30), subject: fc.option(fc.nat(5), { nil: undefined }) });
  const take = fc.record({
    overhead: fc.integer({ min: 0, max: 3 }),
    limit: fc.nat(120),
    nodes: fc.integer({ min: 1, max: 200 }),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(add, take), { maxLength: 60 }), (steps) => {
      const queue = new BroadcastQueue(4);
      const plain = new PlainQueue();
      const finished: string[] = [];
      for (const [turn, step] of steps.entries()) {
        if ("limit" in step) {
          const taken = queue
            .take(step.overhead, step.limit, step.nodes)
            .map((one) => Buffer.from(one).toString());
          assert.deepEqual(taken, plain.take(step.overhead, step.limit, step.nodes));
        } else {
          const text = `${turn}${"x".repeat(step.length)}`;
          const subject = step.subject === undefined ? undefined : `node ${step.subject}`;
          queue.add(Buffer.from(text), {
            finished: () => finished.push(text),
            ...(subject !== undefined && { subject }),
          });
          plain.add(text, subject);
        }
        assert.equal(queue.length, plain.items.length);
        assert.deepEqual([...finished].sort(), [...plain.finished].sort());
      }
    }),
  );
});

test("pruning drops what was sent most often, and tells that it is finished", () => {
  const queue = new BroadcastQueue(4);
  const finished: string[] = [];
  for (const text of ["old", "new"])
    queue.add(Buffer.from(text), { subject: text, finished: () => finished.push(text) });
  queue.take(0, 3, 10);
  queue.prune(1);
  assert.deepEqual([finished, queue.length], [["new"], 1]); // of equals the newer one was sent first
  queue.clear();
  assert.deepEqual([finished, queue.length], [["new", "old"], 0]);
});
