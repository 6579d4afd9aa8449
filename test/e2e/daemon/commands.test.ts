import assert from "node:assert/strict";
import { once } from "node:events";
import { suite, test } from "node:test";
import { until } from "../until.ts";
import { type TestDaemon, withDaemon } from "./test-daemon.ts";

const shell = (script: string) => ["busybox", "sh", "-c", script];
const stateOf = async ({ client }: TestDaemon, name: string) => (await client.sandbox(name)).State;

suite("commands by the command line", () => {
  test("run and exec pass the command's status through, and tell their own failures", () =>
    withDaemon(async (daemon) => {
      const status = async (...args: readonly string[]) => (await daemon.weft(...args)).status;
      assert.equal(await status("run", "--rm", ...shell("exit 7")), 7);
      assert.equal(await status("run", "--rm", "/etc/passwd"), 126);
      assert.equal(await status("run", "--rm", "no-such-program"), 127);
      assert.equal(await status("run", "-d", "/etc/passwd"), 126);
      assert.equal(await status("run", "-d", "no-such-program"), 127);
      assert.equal(await status("run", "--name", "one", "no-such-program"), 127);
      assert.equal(await status("run", "--name", "two", "--restart", "always", "/etc/passwd"), 126);
      assert.equal(await status("run", "--rm", "--network", "no-such-network", "true"), 125);
      assert.equal(await status("run", "--no-such-option", "true"), 125);
      assert.equal(await daemon.ok("ps", "-aq"), "", "none of them is left");
      await daemon.ok("run", "-d", "--name", "box", "busybox", "sleep", "1000");
      assert.equal(await status("exec", "box", ...shell("exit 9")), 9);
      assert.equal(await status("exec", "box", "no-such-program"), 127);
      const typed = daemon.open("exec", "-i", "box", "cat");
      assert.equal((await typed.end("what was typed")).stdout, "what was typed");
      const piped = daemon.open("run", "-i", "--rm", "cat");
      assert.equal((await piped.end("more of it")).stdout, "more of it");
    }));

  test("logs, wait, stop, kill, restart, attach, a terminal in the background, and --rm", () =>
    withDaemon(async (daemon) => {
      await daemon.ok("run", "-d", "--name", "talker", ...shell("echo one; echo two >&2; sleep 1000"));
      await until("it has spoken", async () => (await daemon.ok("logs", "talker")) === "one\ntwo");
      assert.equal(await daemon.ok("logs", "--tail", "1", "talker"), "two");
      const following = daemon.open("logs", "-f", "talker");
      const waiting = daemon.open("wait", "talker");
      const { Pid } = await stateOf(daemon, "talker");
      assert.equal(await daemon.ok("stop", "-t", "1", "talker"), "talker");
      assert.equal((await waiting.end()).stdout.trim(), "143");
      assert.match((await following.end()).stdout, /^one\ntwo\n/);
      await daemon.ok("start", "talker");
      assert.notEqual((await stateOf(daemon, "talker")).Pid, Pid);
      await daemon.ok("restart", "-t", "1", "talker");
      await daemon.ok("kill", "-s", "KILL", "talker");
      assert.equal(await daemon.ok("wait", "talker"), "137");
      assert.match(await daemon.ok("ps", "-a"), /Exited \(137\).* talker/);
      await daemon.ok("rm", "talker");

      await daemon.ok("run", "-d", "--name", "ticker", ...shell("while sleep 0.1; do echo tick; done"));
      const attached = daemon.open("attach", "--no-stdin", "ticker");
      await once(attached.child.stdout ?? assert.fail("no output"), "data");
      await daemon.ok("kill", "-s", "TERM", "ticker");
      assert.equal((await attached.end()).status, 143);
      await daemon.ok("rm", "ticker");

      await daemon.ok("run", "-d", "-t", "--name", "screen", ...shell("tty; echo hello"));
      assert.equal(await daemon.ok("wait", "screen"), "0");
      assert.match(await daemon.ok("logs", "screen"), /^\/dev\/.*\r?\nhello$/);
      await daemon.ok("run", "-d", "--rm", "--name", "brief", ...shell("exit 3"));
      await until("it is gone", async () => !(await daemon.ok("ps", "-aq", "--filter", "name=brief")));
    }));

  test("what is to be started again is, as often as its policy says", () =>
    withDaemon(async (daemon) => {
      await daemon.ok(
        "run",
        "-d",
        "--name",
        "flaky",
        "--restart",
        "on-failure:2",
        ...shell("echo x; exit 1"),
      );
      assert.equal(await daemon.ok("wait", "flaky"), "1");
      assert.equal((await stateOf(daemon, "flaky")).RestartCount, 2);
      assert.equal(await daemon.ok("logs", "flaky"), "x\nx\nx");
      await daemon.ok("run", "-d", "--name", "lasting", "--restart", "always", "busybox", "sleep", "1000");
      const { Pid } = await stateOf(daemon, "lasting");
      process.kill(Pid, "SIGKILL");
      await until("it runs again", async () => {
        const state = await stateOf(daemon, "lasting");
        return state.Running && state.Pid !== Pid;
      });
      await daemon.ok("stop", "-t", "1", "lasting");
      assert.equal((await stateOf(daemon, "lasting")).Status, "exited");
      await daemon.ok("start", "lasting");
      await daemon.ok("kill", "lasting");
      assert.equal(await daemon.ok("wait", "lasting"), "137"); // it would wait on if it were started again
    }));
});
