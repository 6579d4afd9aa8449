import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ExitStatus } from "../../src/runtime/command.ts";
import { endGracefully } from "../../src/runtime/end-gracefully.ts";
import { TestClock } from "../cnm/deterministic.ts";

/** A command that heeds SIGKILL alone. */
function deafCommand() {
  const signals: unknown[] = [];
  let end: (status: ExitStatus) => void = () => {};
  const exited = new Promise<ExitStatus>((resolve) => {
    end = resolve;
  });
  const kill = (signal?: unknown) => {
    signals.push(signal);
    if (signal === "SIGKILL") end({ code: null, signal });
  };
  return { signals, exited, kill };
}

suite("ending a command within a grace", () => {
  test("it is killed once the grace is over", async () => {
    const [command, clock] = [deafCommand(), new TestClock()];
    const { signal: abort } = new AbortController();
    const ended = endGracefully(command, clock, { graceMs: 60_000, abort });
    assert.deepEqual([command.signals, clock.sleeps], [["SIGTERM"], [60_000]]);
    clock.wakeAll();
    assert.deepEqual(await ended, { code: null, signal: "SIGKILL" });
  });

  for (const graceMs of [60_000, Infinity]) {
    test(`who gives up a grace of ${graceMs} ms leaves it alone`, async () => {
      const [command, clock, leave] = [deafCommand(), new TestClock(), new AbortController()];
      const ended = endGracefully(command, clock, { graceMs, signal: "SIGINT", abort: leave.signal });
      leave.abort(new RangeError("enough"));
      await assert.rejects(ended, /enough/);
      clock.wakeAll();
      await new Promise(setImmediate);
      assert.deepEqual(command.signals, ["SIGINT"]);
    });
  }

  test("who has given up before sends nothing", async () => {
    const command = deafCommand();
    const abort = AbortSignal.abort(new RangeError("enough"));
    await assert.rejects(endGracefully(command, new TestClock(), { graceMs: 0, abort }), /enough/);
    assert.deepEqual(command.signals, []);
  });
});
