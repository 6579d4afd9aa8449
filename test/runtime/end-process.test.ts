import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { suite, test } from "node:test";
import { endProcess } from "../../src/runtime/index.ts";
import { identityOf } from "../../src/runtime/process-identity.ts";
import { withSandbox } from "./sandbox-fixture.ts";

suite("ending a command by its stored identity", () => {
  test("ends one that has no handler at once", () =>
    withSandbox(async ({ run }) => {
      const sleeper = await run({ command: ["sleep", "1000"] });
      const { pid, startTicks, bootId } = sleeper;
      const stored = JSON.parse(JSON.stringify({ pid, startTicks, bootId }));
      await endProcess(stored, { graceMs: 600_000 });
      assert.deepEqual(await sleeper.exited, { code: null, signal: "SIGKILL" });
      await endProcess(stored, { graceMs: 600_000 }); // gone already
    }));

  test("lets a handler work, and kills after the grace", () =>
    withSandbox(async ({ run }) => {
      for (const [trap, expected] of [
        ["exit 4", { code: 4, signal: null }],
        ["", { code: null, signal: "SIGKILL" }],
      ] as const) {
        const script = `trap '${trap}' TERM; echo set; while :; do sleep 0.01; done`;
        const shell = await run({ command: ["sh", "-c", script], stdio: { stdout: "pipe" } });
        assert.ok(shell.stdout);
        await once(shell.stdout, "readable");
        await endProcess(shell, { graceMs: trap === "" ? 50 : 600_000 });
        assert.deepEqual(await shell.exited, expected);
      }
    }));

  test("leaves another process of the same number alone", async () => {
    const other = spawn("sleep", ["1000"]);
    const exit = once(other, "exit");
    assert.ok(other.pid !== undefined);
    const { pid, startTicks, bootId } = identityOf(other.pid);
    await endProcess({ pid, startTicks: startTicks - 1, bootId }, { graceMs: 0 });
    await endProcess({ pid, startTicks, bootId: "another" }, { graceMs: 0 });
    assert.equal(identityOf(pid).startTicks, startTicks);
    assert.equal(other.kill("SIGINT"), true);
    assert.deepEqual(await exit, [null, "SIGINT"]);
  });
});
