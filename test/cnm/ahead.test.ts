import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { ahead } from "../../src/cnm/ahead.ts";

test("what is begun ahead is done in the next turn, once, and handed over as often as asked for", async () => {
  let done = 0;
  const result = ahead(() => ++done);
  assert.equal(done, 0);
  await setImmediate();
  assert.equal(done, 1);
  assert.equal(result(), 1);
  assert.equal(result(), 1);
});

test("what has not begun when it is asked for is done at once, and not again", async () => {
  let done = 0;
  const result = ahead(() => ++done);
  assert.equal(result(), 1);
  await setImmediate();
  assert.equal(done, 1);
});

test("a refusal is thrown to whoever comes for the result, and to nobody else", async () => {
  const refused = ahead(() => {
    throw new Error("refused");
  });
  await setImmediate();
  assert.throws(refused, /refused/);
});
