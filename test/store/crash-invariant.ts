import assert from "node:assert/strict";
import type { Store } from "../../src/store/index.ts";

/** How many keys repeat the counter. */
export const copies = 5;
/** How many of the latest steps have an entry of their own. */
export const keptLogs = 40;
export const counterKey = "counter";

export function copyKey(i: number): string {
  return `copy/${i}`;
}

/** Ordered by step. */
export function logKey(step: number): string {
  return `log/${String(step).padStart(12, "0")}`;
}

/** What a step logs; every seventh takes several pages. */
export function logValue(step: number): { readonly step: number; readonly padding: string } {
  return { step, padding: "x".repeat(step % 7 === 0 ? 9000 : step % 300) };
}

/**
 * Throws unless the store is what some whole number of steps, `reported` or more of them, leaves.
 * Gives that number.
 */
export function assertWholeSteps(store: Store, reported: number): number {
  const count = Number(store.get(counterKey) ?? 0);
  assert.ok(count >= reported, `step ${reported} was reported, the store has only ${count}`);
  assert.equal(store.revision, count);
  if (count === 0) {
    assert.deepEqual([...store.range("")], []);
    return 0;
  }
  const repeated = [...store.range("copy/")].map((entry) => entry.value);
  assert.deepEqual(repeated, new Array(copies).fill(count));
  const first = Math.max(1, count - keptLogs + 1);
  const expected = Array.from({ length: count - first + 1 }, (_, i) => ({
    key: logKey(first + i),
    value: logValue(first + i),
  }));
  assert.deepEqual([...store.range("log/")], expected);
  return count;
}
