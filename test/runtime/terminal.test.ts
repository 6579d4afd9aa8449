import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { suite, test } from "node:test";
import { type SandboxProcess, Terminal } from "../../src/runtime/index.ts";
import { makeBusyboxRoot } from "./busybox-root.ts";
import { withSandbox } from "./sandbox-fixture.ts";
import { TypedTerminal } from "./typed-terminal.ts";

function terminalOf({ terminal }: SandboxProcess): Terminal {
  assert.ok(terminal !== undefined);
  return terminal;
}

suite("a command with a terminal", () => {
  test("is what it would be in a terminal window", () =>
    withSandbox(async ({ run }) => {
      const script = "tty; stty size; echo $TERM; cut -d ' ' -f 5-8 /proc/$$/stat; read word; echo got $word";
      const shell = await run({ command: ["sh", "-c", script], terminal: { columns: 100, rows: 30 } });
      const typed = new TypedTerminal(terminalOf(shell));
      await typed.until(/\/dev\/pts\/\d+\r\n30 100\r\nxterm\r\n1 1 \d+ 1\r\n/); // group, session, terminal, foreground
      typed.type("word\n");
      assert.match(await typed.rest(), /word\r\ngot word\r\n$/);
      assert.deepEqual(await shell.exited, { code: 0, signal: null });
    }));

  test("hears of another window size, and of Ctrl-C", () =>
    withSandbox(async ({ run }) => {
      const script = `trap 'stty size' WINCH; trap 'echo broken; exit 4' INT; echo set
        while :; do sleep 0.01; done`;
      const shell = await run({ command: ["sh", "-c", script], terminal: {} });
      const terminal = terminalOf(shell);
      const typed = new TypedTerminal(terminal);
      await typed.until(/set\r\n/);
      terminal.resize(20, 10);
      await typed.until(/10 20\r\n/);
      assert.throws(() => terminal.resize(-1, 10), { code: "INVALID_COMMAND" });
      typed.type("\x03");
      assert.match(await typed.rest(), /broken\r\n$/);
      assert.deepEqual(await shell.exited, { code: 4, signal: null });
      terminal.resize(20, 10); // of no effect any more
    }));

  test("has job control in a shell", () =>
    withSandbox(async ({ run, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      const shell = await run({ command: ["sh", "-i"], rootfs, environment: { PS1: "> " }, terminal: {} });
      const typed = new TypedTerminal(terminalOf(shell));
      // The shell asks where the cursor is after each prompt.
      await typed.until(/> .*$/);
      typed.type(`tty; sh -c 'trap "echo again" CONT; echo on; while :; do sleep 0.01; done'\n`);
      await typed.until(/\/dev\/pts\/0\r\non\r\n/);
      typed.type("\x1a");
      await typed.until(/Stopped +sh -c .*\r\n> .*$/);
      typed.type("fg\n");
      await typed.until(/again\r\n/);
      typed.type("\x03");
      await typed.until(/> .*$/);
      typed.type("echo $?\n");
      await typed.until(/130\r\n/);
      typed.type("echo to the console > /dev/console; exit 9\n");
      const rest = await typed.rest();
      assert.match(rest, /to the console\r\n/);
      assert.doesNotMatch(typed.all, /job control turned off|can't access tty/);
      assert.deepEqual(await shell.exited, { code: 9, signal: null });
    }));

  test("belongs to its user", () =>
    withSandbox(async ({ run }) => {
      const shell = await run({
        command: ["sh", "-c", "stat -L -c %u /dev/stdin; echo x > $(tty)"],
        user: "1234",
        terminal: {},
      });
      assert.equal(await new TypedTerminal(terminalOf(shell)).rest(), "1234\r\nx\r\n");
      assert.deepEqual(await shell.exited, { code: 0, signal: null });
    }));

  test("has no descriptor more", () =>
    withSandbox(async ({ run }) => {
      const command = ["sh", "-c", "ls -1 /proc/$$/fd; echo .; exec sleep 1000"];
      const plain = await run({ command, terminal: {} });
      const typed = new TypedTerminal(terminalOf(plain));
      await typed.until(/0\r\n1\r\n2\r\n\.\r\n/);
      terminalOf(plain).close();
    }));

  test("beside another command has a terminal of its own", () =>
    withSandbox(async ({ run, launcher, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      const target = await run({ command: ["sleep", "1000"], rootfs });
      const shell = await launcher.exec(target, {
        command: ["sh", "-c", "tty; stty size"],
        terminal: { columns: 7, rows: 6 },
      });
      assert.equal(await new TypedTerminal(terminalOf(shell)).rest(), "/dev/pts/0\r\n6 7\r\n");
      assert.deepEqual(await shell.exited, { code: 0, signal: null });
    }));
});

suite("a kept terminal", () => {
  test("outlives the program that started the command", () =>
    withSandbox(async ({ netnsPath, folder }) => {
      const script = join(import.meta.dirname, "run-terminal.js");
      const shell = `echo up; while read line; do echo "got $line"; done`;
      const program = spawn(process.execPath, [script, netnsPath, folder, "sh", "-c", shell]);
      const [line] = await once(program.stdout, "data");
      const identity = JSON.parse(String(line));
      program.kill("SIGKILL");
      await once(program, "close");
      for (const word of ["one", "two"]) {
        const terminal = Terminal.of(identity);
        const typed = new TypedTerminal(terminal);
        typed.type(`${word}\n`);
        await typed.until(new RegExp(`got ${word}\r\n`));
        if (word === "two") process.kill(identity.pid, "SIGKILL");
        else terminal.close();
        if (word === "two") await typed.rest();
      }
      assert.throws(() => Terminal.of(identity), { code: "COMMAND_ENDED" });
    }));

  test("is not found where there is none, or where something else is", () =>
    withSandbox(async ({ run }) => {
      const plain = await run({ command: ["sleep", "1000"] });
      assert.throws(() => Terminal.of(plain), { code: "LAUNCH", message: /cannot reach the terminal/ });
      const command = ["bash", "-c", "exec 1000</dev/null; echo done; exec sleep 1000"];
      const other = await run({ command, terminal: { kept: true } });
      await new TypedTerminal(terminalOf(other)).until(/done/);
      assert.throws(() => Terminal.of(other), { code: "LAUNCH", message: /has closed its terminal/ });
      terminalOf(other).close();
    }));
});
