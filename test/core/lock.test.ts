import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KeyedLock } from "../../src/core/index.ts";

test("tasks of one key run one after the other in their order, those of other keys side by side", async () => {
  const lock = new KeyedLock();
  const log: string[] = [];
  let open: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const first = lock.run("a", async () => {
    await gate;
    log.push("a1");
  });
  const second = lock.run("a", async () => log.push("a2"));
  await lock.run("b", async () => log.push("b1"));
  open();
  await Promise.all([first, second]);
  assert.deepEqual(log, ["b1", "a1", "a2"]);
});

test("a task that fails gives its error to its caller and lets the next one run", async () => {
  const lock = new KeyedLock();
  const failing = lock.run("a", async () => {
    throw new Error("first");
  });
  const next = lock.run("a", async () => "second");
  await assert.rejects(failing, /first/);
  assert.equal(await next, "second");
});

test("never do two tasks of a key overlap", async () => {
  const task = fc.record({ key: fc.constantFrom("a", "b"), turns: fc.nat(4), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(task, { maxLength: 12 }), async (tasks) => {
      const lock = new KeyedLock();
      const running = new Map<string, number>();
      const work = async ({ key, turns, fails }: (typeof tasks)[number]) => {
        const count = (running.get(key) ?? 0) + 1;
        running.set(key, count);
        assert.equal(count, 1);
        for (let i = 0; i < turns; i++) await null;
        running.set(key, 0);
        if (fails) throw new Error("task");
      };
      const results = await Promise.allSettled(tasks.map((one) => lock.run(one.key, () => work(one))));
      assert.deepEqual(
        results.map(({ status }) => status === "rejected"),
        tasks.map(({ fails }) => fails),
      );
    }),
    { numRuns: 50 },
  );
});
