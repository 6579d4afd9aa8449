import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { ExitRing } from "../../src/runtime/exit-ring.ts";

suite("the exits that are remembered", () => {
  test("are found by what shares the memory, the last of a process, and none from before", () => {
    const written = new ExitRing();
    const read = new ExitRing(written.memory);
    written.add(7, 256);
    const since = read.count;
    assert.equal(read.find(7, since), undefined);
    written.add(7, 0); // a thread of it that ended before the others
    written.add(7, 9);
    written.add(8, 1);
    assert.equal(read.find(7, since), 9);
    assert.equal(read.find(7, 0n), 9);
    assert.equal(read.find(9, since), undefined);
  });

  test("are what a list of all of them would tell, as far back as they go", () => {
    const places = 4096;
    const exit = fc.record({
      pid: fc.integer({ min: 1, max: 6000 }),
      status: fc.integer({ min: 0, max: 0xffff }),
    });
    fc.assert(
      fc.property(
        fc.array(exit, { maxLength: 6000, size: "max" }),
        fc.nat(6000),
        fc.nat(6000),
        (exits, since, pid) => {
          const ring = new ExitRing();
          for (const { pid, status } of exits) ring.add(pid, status);
          const kept = exits.slice(Math.max(since, exits.length - places));
          assert.equal(ring.find(pid, BigInt(since)), kept.findLast((one) => one.pid === pid)?.status);
        },
      ),
      { numRuns: 50 },
    );
  });
});
