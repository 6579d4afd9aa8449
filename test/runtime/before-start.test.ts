import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { ProcessIdentity } from "../../src/runtime/index.ts";
import { withSandbox } from "./sandbox-fixture.ts";

suite("what is done before a command starts", () => {
  test("knows who the command will be, which has not run yet", () =>
    withSandbox(async ({ run, folder }) => {
      const file = join(folder, "ran");
      const known: ProcessIdentity[] = [];
      const started = await run({
        command: ["touch", file],
        beforeStart: async (identity) => {
          known.push(identity);
          await delay(20);
          assert.ok(!existsSync(file));
          assert.match(
            readFileSync(`/proc/${identity.pid}/stat`, "utf8"),
            new RegExp(` ${identity.startTicks} `),
          );
        },
      });
      assert.deepEqual(known, [{ pid: started.pid, startTicks: started.startTicks, bootId: started.bootId }]);
      await started.exited;
      assert.ok(existsSync(file));
    }));

  test("can forbid it", () =>
    withSandbox(async ({ run, folder }) => {
      const file = join(folder, "ran");
      const refusal = new Error("the record could not be written");
      const start = run({ command: ["touch", file], beforeStart: () => Promise.reject(refusal) });
      await assert.rejects(start, refusal);
      assert.ok(!existsSync(file));
    }));

  test("is not asked when the sandbox cannot be prepared, and asked before a program is found missing", () =>
    withSandbox(async ({ run }) => {
      let asked = 0;
      const beforeStart = async () => {
        asked++;
      };
      await assert.rejects(run({ command: ["true"], user: "no-such", beforeStart }), {
        code: "INVALID_COMMAND",
      });
      assert.equal(asked, 0);
      await assert.rejects(run({ command: ["no-such"], beforeStart }), { code: "COMMAND_NOT_FOUND" });
      assert.equal(asked, 1);
    }));

  test("is waited for no longer when the program that does it is killed: the command never runs", () =>
    withSandbox(async ({ netnsPath, folder }) => {
      const file = join(folder, "ran");
      const script = join(import.meta.dirname, "run-held.js");
      const program = spawn(process.execPath, [script, netnsPath, "touch", file]);
      const [line] = await once(program.stdout, "data");
      const pid = Number(String(line));
      assert.ok(existsSync(`/proc/${pid}`));
      program.kill("SIGKILL");
      await once(program, "close");
      while (existsSync(`/proc/${pid}`)) await delay(5);
      assert.ok(!existsSync(file));
    }));
});
