import type { TestContext } from "node:test";

type Step = () => unknown;

const stepsOf = new WeakMap<TestContext, Step[]>();

/**
 * Runs `step` when the test has ended, well or badly; the last that was asked for runs first, so that
 * a folder outlives those who write in it.
 */
export function atEnd(t: TestContext, step: Step): void {
  const known = stepsOf.get(t);
  if (known !== undefined) {
    known.push(step);
    return;
  }
  const steps = [step];
  stepsOf.set(t, steps);
  t.after(async () => {
    for (const each of steps.reverse()) await each();
  });
}
