import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { suite, test } from "node:test";
import { type SandboxFixture, withSandbox } from "./sandbox-fixture.ts";
import { TypedTerminal } from "./typed-terminal.ts";

/** Runs a program on a terminal that runs `command` with its own streams. Gives all that was shown. */
async function onTerminal(
  { run }: SandboxFixture,
  command: readonly string[],
  type: (terminal: TypedTerminal) => Promise<void>,
): Promise<string> {
  const script = join(import.meta.dirname, "run-foreground.js");
  const program = await run({
    command: [process.execPath, script, "/proc/self/ns/net", ...command],
    privileged: true,
    terminal: {},
  });
  assert.ok(program.terminal);
  const typed = new TypedTerminal(program.terminal);
  await typed.until(/before true\r\n/);
  await type(typed);
  await typed.rest();
  assert.deepEqual(await program.exited, { code: 0, signal: null });
  return typed.all;
}

suite("a command on its caller's own terminal", () => {
  test("is in the foreground: Ctrl-C reaches it alone, and then its caller has the place again", () =>
    withSandbox(async (fixture) => {
      const script = "trap 'echo broken; exit 5' INT; echo set; stty size; while :; do sleep 0.01; done";
      const rest = await onTerminal(fixture, ["sh", "-c", script], async (typed) => {
        await typed.until(/meanwhile false\r\n/, /set\r\n/, /24 80\r\n/);
        typed.type("\x03");
      });
      assert.match(rest, /broken\r\ncode 5\r\nafter true\r\n$/);
    }));

  test("has job control if it is a shell", () =>
    withSandbox(async (fixture) => {
      const rest = await onTerminal(fixture, ["busybox", "sh", "-i"], async (typed) => {
        await typed.until(/meanwhile false\r\n/, /> /);
        typed.type(`sh -c 'trap "echo again" CONT; echo on; while :; do sleep 0.01; done'\n`);
        await typed.until(/\non\r\n/);
        typed.type("\x1a");
        await typed.until(/Stopped/);
        typed.type("fg\n");
        await typed.until(/again\r\n/);
        typed.type("\x03");
        typed.type("exit 6\n");
      });
      assert.match(rest, /code 6\r\nafter true\r\n$/);
      assert.doesNotMatch(rest, /job control turned off|can't access tty/);
    }));

  test("cannot type on it for its caller", () =>
    withSandbox(async (fixture) => {
      const koffi = createRequire(import.meta.url).resolve("koffi");
      const script = `const koffi = require(${JSON.stringify(koffi)});
        const ioctl = koffi.load("libc.so.6").func("int ioctl(int fd, unsigned long request, void *value)");
        const name = (result) => (result === 0 ? "done" : koffi.errno() === 1 ? "EPERM" : "another");
        console.log("size " + name(ioctl(0, 0x5413, Buffer.alloc(8))));
        console.log("type " + name(ioctl(0, 0x5412, Buffer.from("x"))));
        console.log("paste " + name(ioctl(0, 0x541c, Buffer.from("\\x03"))));`;
      const rest = await onTerminal(fixture, [process.execPath, "-e", script], async () => {});
      assert.match(rest, /size done\r\ntype EPERM\r\npaste EPERM\r\n/);
      assert.match(rest, /code 0\r\nafter true\r\n$/);
    }));

  test("gives the place back when it cannot be started", () =>
    withSandbox(async (fixture) => {
      const rest = await onTerminal(fixture, ["no-such-program"], async () => {});
      assert.equal(rest, "before true\r\nCOMMAND_NOT_FOUND\r\nafter true\r\n");
    }));
});
