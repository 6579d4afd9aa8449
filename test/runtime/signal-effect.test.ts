import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import os from "node:os";
import { suite, test } from "node:test";
import { type ProcessLook, signalEffect, wouldEnd } from "../../src/runtime/signal-effect.ts";

const { signals } = os.constants;

/** A process with SIGTERM (15) in one of its sets. */
function lookWith(field: string): ProcessLook {
  const sets = ["SigBlk", "SigIgn", "SigCgt"];
  const lines = sets.map((name) => `${name}:\t${name === field ? "0000000000004000" : "0000000000000000"}`);
  return { status: lines.join("\n"), calls: ["running"] };
}

suite("whether a signal would end a process", () => {
  test("it would by default", () => {
    assert.equal(signalEffect(lookWith("none"), signals.SIGTERM), "ends");
    assert.equal(signalEffect(lookWith("SigCgt"), signals.SIGINT), "ends");
  });

  test("it would not when caught, ignored or blocked", () => {
    assert.equal(signalEffect(lookWith("SigCgt"), signals.SIGTERM), "reaches");
    assert.equal(signalEffect(lookWith("SigIgn"), signals.SIGTERM), "reaches");
    assert.equal(signalEffect(lookWith("SigBlk"), signals.SIGTERM), "blocked");
  });

  test("it would not when its default action ends nothing", () => {
    for (const signal of ["SIGCHLD", "SIGWINCH", "SIGSTOP"] as const) {
      assert.equal(signalEffect(lookWith("none"), signals[signal]), "reaches");
    }
  });

  test("it is asked of running processes", async () => {
    const sleeper = spawn("sleep", ["1000"]);
    const exit = once(sleeper, "exit");
    await once(sleeper, "spawn");
    assert.ok(sleeper.pid !== undefined);
    assert.equal(await wouldEnd(sleeper.pid, signals.SIGTERM), true);
    assert.equal(await wouldEnd(process.pid, signals.SIGPIPE), false); // Node ignores it
    sleeper.kill();
    await exit;
  });
});
