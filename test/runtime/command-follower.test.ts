import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import {
  CommandFollower,
  type FollowerOptions,
  type ProcessIdentity,
  type RunningCommand,
} from "../../src/runtime/index.ts";
import { identityOf } from "../../src/runtime/process-identity.ts";
import { withSandbox } from "./sandbox-fixture.ts";

/** Runs `work` with a follower. */
async function withFollower(
  work: (follower: CommandFollower) => Promise<void>,
  options: FollowerOptions = {},
): Promise<void> {
  const follower = new CommandFollower(options);
  try {
    await work(follower);
  } finally {
    await follower.close();
  }
}

function running(follower: CommandFollower, identity: ProcessIdentity): RunningCommand {
  const adoption = follower.adopt(identity);
  assert.equal(adoption.state, "running");
  return adoption.command;
}

const waysToKnow = [
  { way: "by a pidfd, or what an older kernel has", options: {} },
  { way: "by what an older kernel has", options: { pidfdTells: false } },
] as const;

for (const { way, options } of waysToKnow)
  suite(`the end of a command that somebody else started, known ${way}`, () => endsAreKnown(options));

function endsAreKnown(options: FollowerOptions): void {
  test("is told, and everything of it", () =>
    withSandbox(({ netnsPath, folder }) =>
      withFollower(async (follower) => {
        const script = join(import.meta.dirname, "run-one.js");
        for (const [command, signal, status] of [
          [["sleep", "1000"], "SIGTERM", { code: null, signal: "SIGTERM" }],
          [["sleep", "1000"], "SIGKILL", { code: null, signal: "SIGKILL" }],
          [
            ["sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.01; done"],
            "SIGTERM",
            { code: 7, signal: null },
          ],
        ] as const) {
          const program = spawn(process.execPath, [script, netnsPath, join(folder, "log"), ...command]);
          const [line] = await once(program.stdout, "data");
          const identity = JSON.parse(String(line));
          program.kill("SIGKILL");
          await once(program, "close");
          const adopted = running(follower, identity);
          assert.equal(adopted.pid, identity.pid);
          if (command[0] === "sh") await until(() => catches(identity.pid));
          adopted.kill(signal);
          assert.deepEqual(await adopted.exited, status);
          adopted.kill(); // of no effect any more
          assert.equal(follower.adopt(identity).state, "ended"); // how, is known until it is reaped
        }
      }, options),
    ));

  test("can come with a grace", () =>
    withFollower(async (follower) => {
      const child = spawn("sh", ["-c", "trap '' TERM; echo set; while :; do sleep 0.01; done"]);
      await once(child.stdout, "data");
      assert.ok(child.pid !== undefined);
      const command = running(follower, identityOf(child.pid));
      assert.deepEqual(await command.end({ graceMs: 20 }), { code: null, signal: "SIGKILL" });
    }, options));

  test("can be that of two thousand at once", () =>
    withFollower(async (follower) => {
      const count = 2000;
      const script = `i=0; while [ $i -lt ${count} ]; do busybox sleep 1000 & echo $!; i=$((i+1)); done; echo; wait`;
      const parent = spawn("busybox", ["sh", "-c", script]);
      const parentsEnd = once(parent, "exit");
      const pids: number[] = [];
      for await (const line of createInterface(parent.stdout)) {
        if (line === "") break;
        pids.push(Number(line));
      }
      assert.equal(pids.length, count);
      const commands = pids.map((pid) => running(follower, identityOf(pid)));
      const exits = Promise.all(commands.map(({ exited }) => exited));
      for (const [i, command] of commands.entries()) command.kill(i % 2 === 0 ? "SIGKILL" : "SIGUSR1");
      const statuses = await exits;
      for (const [i, status] of statuses.entries()) {
        // A plain process, and no pid 1 of a namespace: SIGKILL stands in all the same, and is not told.
        assert.deepEqual(status, { code: null, signal: i % 2 === 0 ? "SIGKILL" : "SIGUSR1" });
      }
      await parentsEnd;
    }, options));
}

suite("commands that somebody else started", () => {
  test("are known by more than their number", () =>
    withFollower(async (follower) => {
      const own = identityOf(process.pid);
      for (const other of [
        { ...own, startTicks: own.startTicks + 1 },
        { ...own, bootId: "00000000-0000-0000-0000-000000000000" },
        { ...own, pid: 2 ** 22 + 1 },
      ]) {
        assert.deepEqual(follower.adopt(other), { state: "ended", status: { code: null, signal: null } });
      }
    }));

  test("tell how they ended while their parent has not looked", () =>
    withFollower(async (follower) => {
      // A shell that has become another program never asks for its children.
      const script = "(read line <&3; exit 5) & echo $!; exec cat";
      const parent = spawn("sh", ["-c", script], { stdio: ["pipe", "pipe", "inherit", "pipe"] });
      const { stdin, stdout, stdio } = parent;
      assert.ok(stdin && stdout && stdio[3] instanceof Socket);
      const [line] = await once(stdout, "data");
      const pid = Number(String(line));
      stdin.write("it is cat by now\n");
      await once(stdout, "data");
      stdio[3].write("end\n");
      await until(() => statOf(pid).includes(") Z "));
      assert.deepEqual(follower.adopt(identityOf(pid)), {
        state: "ended",
        status: { code: 5, signal: null },
      });
      parent.kill("SIGKILL");
      await once(parent, "exit");
    }));

  test("go on when nobody follows them any more", async () => {
    const child = spawn("sleep", ["1000"]);
    assert.ok(child.pid !== undefined);
    const follower = new CommandFollower();
    running(follower, identityOf(child.pid));
    await follower.close();
    await follower.close();
    assert.throws(() => follower.adopt(identityOf(process.pid)), { code: "LAUNCH" });
    assert.equal(child.kill("SIGINT"), true);
    assert.deepEqual(await once(child, "exit"), [null, "SIGINT"]);
  });

  test("do not keep a program that calls process.exit", async () => {
    const script = join(import.meta.dirname, "follow-and-exit.js");
    const program = spawn(process.execPath, [script], { stdio: "ignore" });
    assert.deepEqual(await once(program, "exit"), [6, null]);
  });
});

function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "";
  }
}

/** Whether a process has a handler for SIGTERM. */
function catches(pid: number): boolean {
  const hex = /^SigCgt:\s*(\S+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
  return (BigInt(`0x${hex}`) & (1n << 14n)) !== 0n;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}
