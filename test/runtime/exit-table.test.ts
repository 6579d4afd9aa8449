import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { ExitTable } from "../../src/runtime/exit-table.ts";

const places = 2 ** 14;

suite("the exits that are remembered", () => {
  test("are found by what shares the memory, until they are forgotten", () => {
    const written = new ExitTable();
    const read = new ExitTable(written.memory);
    written.add(7, 7, 256);
    assert.deepEqual(read.find(7), { waitStatus: 256, isWhole: true });
    assert.equal(read.find(8), undefined);
    assert.equal(read.find(7 + places), undefined);
    read.forget(7);
    assert.equal(read.find(7), undefined);
  });

  test("are those of a process's threads: the last counts, and the first thread's has to be among them", () => {
    const table = new ExitTable();
    table.add(7, 9, 0);
    assert.deepEqual(table.find(7), { waitStatus: 0, isWhole: false });
    table.add(7, 7, 5 << 8);
    assert.deepEqual(table.find(7), { waitStatus: 5 << 8, isWhole: true });
    table.add(7, 8, 9);
    assert.deepEqual(table.find(7), { waitStatus: 9, isWhole: true });
  });

  test("are what a map by place would tell, with every number that a process may have", () => {
    // Numbers that meet in one place more often than not.
    const pid = fc
      .tuple(fc.constantFrom(0, 1, 255), fc.constantFrom(1, 2, places - 1))
      .map(([high, low]) => high * places + low);
    const exit = fc.record({ pid, first: fc.boolean(), status: fc.integer({ min: 0, max: 0xffff }) });
    fc.assert(
      fc.property(fc.array(exit, { maxLength: 30 }), pid, (exits, asked) => {
        const table = new ExitTable();
        const model = new Map<number, { pid: number; waitStatus: number; isWhole: boolean }>();
        for (const { pid, first, status } of exits) {
          table.add(pid, first ? pid : pid + 1, status);
          const before = model.get(pid % places);
          const isWhole = first || (before?.pid === pid && before.isWhole);
          model.set(pid % places, { pid, waitStatus: status, isWhole });
        }
        const { pid: there, ...expected } = model.get(asked % places) ?? { pid: undefined };
        assert.deepEqual(table.find(asked), there === asked ? expected : undefined);
      }),
    );
  });
});
