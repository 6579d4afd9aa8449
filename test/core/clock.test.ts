import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/core/index.ts";

test("a sleep ends with the reason of the signal that fires first", async () => {
  const reason = new Error("enough");
  await assert.rejects(systemClock.sleep(60_000, AbortSignal.abort(reason)), reason);
  const abort = new AbortController();
  const sleep = systemClock.sleep(60_000, abort.signal);
  abort.abort(reason);
  await assert.rejects(sleep, reason);
  await systemClock.sleep(0);
});
