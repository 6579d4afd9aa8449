import assert from "node:assert/strict";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { suite, test } from "node:test";
import type { ExecInit, Launcher, ProcessIdentity } from "../../src/runtime/index.ts";
import { makeBusyboxRoot } from "./busybox-root.ts";
import { withSandbox } from "./sandbox-fixture.ts";

/** Runs a command beside another to its end and gives what it printed. */
async function beside(
  launcher: Launcher,
  target: ProcessIdentity,
  script: string,
  init: Partial<ExecInit> = {},
): Promise<string> {
  const stdio = { stdout: "pipe", stderr: "pipe" } as const;
  const started = await launcher.exec(target, { command: ["sh", "-c", script], stdio, ...init });
  assert.ok(started.stdout && started.stderr);
  const [printed, complaint] = await Promise.all([
    text(started.stdout),
    text(started.stderr),
    started.exited,
  ]);
  return printed + complaint;
}

const sleep = ["sleep", "1000"];

suite("a command beside another", () => {
  test("is in all of its namespaces", () =>
    withSandbox(async ({ launcher, run, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      const target = await run({ command: sleep, rootfs, hostname: "box" });
      const script = `for kind in mnt uts pid net; do
        test $(readlink /proc/1/ns/$kind) = $(readlink /proc/self/ns/$kind) && echo $kind; done
        hostname; cat /proc/1/cmdline | tr '\\0' ' '; echo; ls -d /bin ${folder}; pwd; ls /sys/class/net`;
      const lines = ["mnt", "uts", "pid", "net", "box", "sleep 1000 ", "/bin", "/", "lo", "weft0"];
      assert.equal(
        await beside(launcher, target, script),
        `${lines.join("\n")}\nls: ${folder}: No such file or directory\n`,
      );
    }));

  test("has its capabilities, and what is added or dropped", () =>
    withSandbox(async ({ launcher, run }) => {
      const target = await run({ command: sleep, capabilities: { drop: ["ALL"], add: ["CHOWN", "KILL"] } });
      const script = "grep -E 'Cap(Eff|Bnd)' /proc/self/status";
      const seen = async (init?: Partial<ExecInit>) =>
        (await beside(launcher, target, script, init))
          .match(/[0-9a-f]{16}/g)
          ?.map((hex) => Number(`0x${hex}`));
      assert.deepEqual(await seen(), [0x21, 0x21]);
      assert.deepEqual(await seen({ capabilities: { drop: ["CHOWN"] } }), [0x20, 0x20]);
      assert.deepEqual(await seen({ capabilities: { add: ["NET_ADMIN"] } }), [0x1021, 0x1021]);
      assert.deepEqual(await seen({ user: "1000" }), [0, 0x21]);
      assert.ok((await seen({ privileged: true }))?.every((set) => set > 0x1021));
    }));

  test("has the user, folder and environment that were asked for", () =>
    withSandbox(async ({ launcher, run, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      const target = await run({ command: sleep, rootfs, hostname: "box" });
      const init = { user: "ann", cwd: "/tmp", environment: { NAME: "value" } };
      const lines = ["/tmp", "1001", "box value /home/ann"];
      assert.equal(
        await beside(launcher, target, "pwd; id -u; echo $HOSTNAME $NAME $HOME", init),
        `${lines.join("\n")}\n`,
      );
      await assert.rejects(launcher.exec(target, { command: ["no-such"] }), { code: "COMMAND_NOT_FOUND" });
      await assert.rejects(launcher.exec(target, { command: ["true"], cwd: join(folder) }), {
        code: "INVALID_COMMAND",
      });
    }));

  test("sees the same files when the host's root is the command's", () =>
    withSandbox(async ({ launcher, run, folder }) => {
      const target = await run({
        command: ["sh", "-c", "mount -t tmpfs x /mnt && sleep 1000"],
        privileged: true,
      });
      const seen = `while ! grep -q ' /mnt tmpfs' /proc/mounts; do sleep 0.01; done; pwd; ls -d ${folder}`;
      assert.equal(await beside(launcher, target, seen), `/\n${folder}\n`);
    }));

  test("shows the host's own program to nobody while it is being started", () =>
    withSandbox(async ({ launcher, run, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      const target = await run({ command: sleep, rootfs });
      const look = "for pid in /proc/[0-9]*; do readlink $pid/exe || echo refused; done";
      let seen = "";
      const held = await launcher.exec(target, {
        command: ["true"],
        beforeStart: async () => {
          seen = await beside(launcher, target, look);
        },
      });
      await held.exited;
      const lines = seen.trim().split("\n");
      assert.equal(lines.filter((line) => line === "refused").length, 1, seen);
      assert.ok(
        lines.every((line) => ["refused", "/bin/busybox"].includes(line)),
        seen,
      );
    }));

  test("ends by itself, and with the other", () =>
    withSandbox(async ({ launcher, run }) => {
      const target = await run({ command: sleep });
      const one = await launcher.exec(target, { command: ["sh", "-c", "exit 3"] });
      assert.deepEqual(await one.exited, { code: 3, signal: null });
      const second = await launcher.exec(target, { command: sleep });
      second.kill();
      assert.deepEqual(await second.exited, { code: null, signal: "SIGTERM" });
      const third = await launcher.exec(target, { command: sleep });
      await target.end({ graceMs: 10_000 });
      assert.deepEqual(await third.exited, { code: null, signal: "SIGKILL" });
    }));

  test("is refused when the other has ended", () =>
    withSandbox(async ({ launcher, run }) => {
      const target = await run({ command: sleep });
      await target.end({ graceMs: 10_000 });
      await assert.rejects(launcher.exec(target, { command: ["true"] }), { code: "COMMAND_ENDED" });
    }));
});
