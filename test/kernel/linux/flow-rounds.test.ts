import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ForgetFlowsEffect } from "../../../src/kernel/effects.ts";
import { FlowRounds } from "../../../src/kernel/linux/flow-rounds.ts";

const effect = (originalPort: number): ForgetFlowsEffect => ({
  effect: "forget-flows",
  netns: "host",
  family: 4,
  originalPort,
});

/** Rounds that end when they are told to. */
class HeldRounds {
  readonly begun: (readonly ForgetFlowsEffect[])[] = [];
  readonly #ends: ((error?: Error) => void)[] = [];
  readonly rounds = new FlowRounds((effects) => {
    this.begun.push(effects);
    return new Promise((resolve, reject) => {
      this.#ends.push((error) =>
        error === undefined ? resolve(effects.map(() => undefined)) : reject(error),
      );
    });
  });

  end(error?: Error): void {
    this.#ends.shift()?.(error);
  }

  async untilBegun(count: number): Promise<void> {
    while (this.begun.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

suite("rounds in which flows are forgotten", () => {
  test("those who ask during a round share the next, and each gets outcomes for its own", async () => {
    const held = new HeldRounds();
    const first = held.rounds.forget([effect(1)]);
    await held.untilBegun(1);
    const later = [held.rounds.forget([effect(2), effect(3)]), held.rounds.forget([effect(4)])];
    held.end();
    assert.deepEqual(await first, [undefined]);
    await held.untilBegun(2);
    held.end();
    assert.deepEqual(await Promise.all(later), [[undefined, undefined], [undefined]]);
    assert.deepEqual(
      held.begun.map((effects) => effects.map(({ originalPort }) => originalPort)),
      [[1], [2, 3, 4]],
    );
  });

  test("a round that fails fails for those who wait for it, and not for those after them", async () => {
    const held = new HeldRounds();
    const failing = assert.rejects(held.rounds.forget([effect(1)]), /no socket/);
    await held.untilBegun(1);
    const next = held.rounds.forget([effect(2)]);
    held.end(new Error("no socket"));
    await failing;
    await held.untilBegun(2);
    held.end();
    assert.deepEqual(await next, [undefined]);
  });

  test("nothing to forget is no round", async () => {
    const held = new HeldRounds();
    assert.deepEqual(await held.rounds.forget([]), []);
    assert.equal(held.begun.length, 0);
  });
});
