import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { SandboxProcess } from "../../src/runtime/index.ts";
import { withSandbox } from "./sandbox-fixture.ts";

/** Reads the first line that a command prints. */
async function firstLine(process: SandboxProcess): Promise<string> {
  assert.ok(process.stdout);
  let seen = "";
  for await (const chunk of process.stdout.iterator({ destroyOnReturn: false })) {
    seen += String(chunk);
    if (seen.includes("\n")) break;
  }
  return seen.trimEnd();
}

/** A shell that says when its trap for SIGTERM is set. */
const trapping = (trap: string) => [
  "sh",
  "-c",
  `trap '${trap}' TERM; echo set; while :; do sleep 0.01; done`,
];

suite("a command of a sandbox", () => {
  test("tells its exit code, and the signal that ended it", () =>
    withSandbox(async ({ output, run }) => {
      const { code, signal } = await output(["sh", "-c", "exit 7"]);
      assert.deepEqual({ code, signal }, { code: 7, signal: null });
      const sleeper = await run({ command: ["sleep", "1000"] });
      sleeper.kill("SIGKILL");
      assert.deepEqual(await sleeper.exited, { code: null, signal: "SIGKILL" });
      sleeper.kill(); // of no effect any more
      assert.throws(() => sleeper.kill("SIGLOST"), { code: "INVALID_SIGNAL" });
    }));

  test("reads what the caller writes, and ends its own output with itself", () =>
    withSandbox(async ({ run }) => {
      const cat = await run({ command: ["cat"], stdio: { stdin: "pipe", stdout: "pipe" } });
      cat.stdin?.end("x".repeat(300_000));
      assert.equal((await cat.stdout?.toArray())?.join("").length, 300_000);
      assert.deepEqual(await cat.exited, { code: 0, signal: null });
    }));

  test("has a process id that the host knows", () =>
    withSandbox(async ({ run }) => {
      const { pid } = await run({ command: ["sleep", "1000"] });
      assert.equal(readFileSync(`/proc/${pid}/cmdline`, "utf8"), "sleep\x001000\0");
      assert.match(readFileSync(`/proc/${pid}/status`, "utf8"), new RegExp(`^NSpid:\\t${pid}\\t1$`, "m"));
    }));

  test("ends at once by SIGTERM when it has no handler, although it is pid 1", () =>
    withSandbox(async ({ run }) => {
      const sleeper = await run({ command: ["sleep", "1000"] });
      assert.deepEqual(await sleeper.end({ graceMs: 600_000 }), { code: null, signal: "SIGTERM" });
    }));

  test("ends by its own handler when it has one", () =>
    withSandbox(async ({ run }) => {
      const shell = await run({ command: trapping("exit 3"), stdio: { stdout: "pipe" } });
      assert.equal(await firstLine(shell), "set");
      assert.deepEqual(await shell.end({ graceMs: 600_000 }), { code: 3, signal: null });
    }));

  test("is killed after the grace when it ignores SIGTERM", () =>
    withSandbox(async ({ run }) => {
      const shell = await run({ command: trapping(""), stdio: { stdout: "pipe" } });
      assert.equal(await firstLine(shell), "set");
      assert.deepEqual(await shell.end({ graceMs: 50 }), { code: null, signal: "SIGKILL" });
    }));

  test("may take its signals by sigwait, which no mask shows", () =>
    withSandbox(async ({ run }) => {
      const script = `const koffi = require(${JSON.stringify(createRequire(import.meta.url).resolve("koffi"))});
        const libc = koffi.load("libc.so.6");
        const set = Buffer.alloc(128);
        set.writeUInt32LE(1 << 11);
        libc.func("int sigprocmask(int how, const void *set, void *old)")(0, set, null);
        console.log("set");
        process.exit(libc.func("int sigwaitinfo(const void *set, void *info)")(set, null));`;
      const node = await run({ command: [process.execPath, "-e", script], stdio: { stdout: "pipe" } });
      assert.equal(await firstLine(node), "set");
      const blocksIt = /^SigBlk:\t0*800$/m; // until it waits
      while (blocksIt.test(readFileSync(`/proc/${node.pid}/status`, "utf8"))) await setImmediate();
      node.kill("SIGUSR2");
      assert.deepEqual(await node.exited, { code: 12, signal: null });
    }));

  test("gets signals that end nothing as they are", () =>
    withSandbox(async ({ run }) => {
      const script =
        "process.on('SIGWINCH', () => process.exit(5)); console.log('set'); setInterval(() => {}, 1e6)";
      const node = await run({ command: [process.execPath, "-e", script], stdio: { stdout: "pipe" } });
      assert.equal(await firstLine(node), "set");
      node.kill("SIGURG");
      node.kill("SIGWINCH");
      assert.deepEqual(await node.exited, { code: 5, signal: null });
    }));

  test("takes its whole tree along, sessions of their own included", () =>
    withSandbox(async ({ run, folder }) => {
      // The end of the pipe tells: it comes when the last process that holds it is gone.
      const script = "setsid sleep 1000 & (sleep 1000 & sleep 1000 &); echo started; exec sleep 1000";
      const shell = await run({ command: ["sh", "-c", script], cwd: folder, stdio: { stdout: "pipe" } });
      assert.equal(await firstLine(shell), "started");
      await shell.end({ graceMs: 10_000 });
      assert.deepEqual(await shell.stdout?.toArray(), []);
    }));

  test("has a session of its own, unless it reads the caller's terminal", () =>
    withSandbox(async ({ output }) => {
      // The session in /proc/PID/stat is 0 when its leader is outside of the PID namespace.
      const command = ["cut", "-d", " ", "-f", "6", "/proc/1/stat"];
      assert.equal((await output(command)).stdout, "1\n");
      const stdio = { stdin: "inherit", stdout: "pipe", stderr: "pipe" } as const;
      assert.equal((await output(command, { stdio })).stdout, "0\n");
    }));

  test("writes to the end of a file", () =>
    withSandbox(async ({ run, folder }) => {
      const file = join(folder, "log");
      for (const word of ["one", "two"]) {
        const command = ["sh", "-c", `echo ${word}; echo ${word}! >&2`];
        await (await run({ command, stdio: { stdout: { file }, stderr: { file } } })).exited;
      }
      assert.equal(readFileSync(file, "utf8"), "one\none!\ntwo\ntwo!\n");
    }));
});
