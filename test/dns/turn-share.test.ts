import assert from "node:assert/strict";
import { test } from "node:test";
import { currentTurn } from "../../src/dns/loop-turn.ts";
import { TurnShare, workOf } from "../../src/dns/turn-share.ts";

test("there is as much in each turn, and those who wait go on in their order, in later turns", async () => {
  const turns = new TurnShare(3);
  const log: string[] = [];
  const begun = currentTurn();
  assert.equal(turns.left, 3);
  turns.use(3);
  await new Promise<void>((resolve) => {
    const work = (name: string, times: number) => {
      for (let left = times; left > 0; left--) {
        if (turns.left <= 0) {
          turns.wait(() => work(name, left));
          return;
        }
        turns.use(1);
        log.push(`${name}${currentTurn() - begun}`);
      }
      if (name === "b") resolve();
    };
    work("a", 4);
    work("b", 4);
  });
  assert.deepEqual(log, ["a1", "a1", "a1", "b2", "b2", "b2", "a3", "b3"]);
});

test("one who waits turn after turn costs no more in the last than in the first", async (t) => {
  const turns = new TurnShare(1);
  const scheduled = t.mock.method(globalThis, "setImmediate");
  await new Promise<void>((resolve) => {
    let left = 50;
    const goOn = () => {
      turns.use(turns.left);
      if (left-- > 0) turns.wait(goOn);
      else resolve();
    };
    goOn();
  });
  assert.ok(scheduled.mock.callCount() <= 2 * 52, `${scheduled.mock.callCount()} calls`);
});

test("long answers, and those that others are asked for, are more work", () => {
  assert.deepEqual(
    [
      undefined,
      new Uint8Array(0),
      new Uint8Array(511),
      new Uint8Array(65_535),
      Promise.resolve(undefined),
    ].map(workOf),
    [1, 1, 1, 128, 16],
  );
});
