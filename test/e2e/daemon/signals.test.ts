import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { weftProgram } from "../../cli/weft-program.ts";
import { NotifySocket } from "../../notify-socket.ts";
import { until } from "../until.ts";
import { type TestDaemon, withDaemon } from "./test-daemon.ts";

/** `weft daemon` as a service manager starts it. */
function asService(daemon: TestDaemon, socket: NotifySocket, born: "there" | "here"): ChildProcess {
  const args = [weftProgram, "daemon", ...daemon.folders];
  const options = {
    cwd: "/",
    env: { PATH: process.env.PATH, NOTIFY_SOCKET: socket.address },
    stdio: "ignore",
  } as const;
  if (born === "there") return daemon.netns.start(process.execPath, args, options);
  return daemon.outside.start(process.execPath, [...args, "--netns", daemon.netns.path], options);
}

suite("the daemon's signals", () => {
  for (const born of ["there", "here"] as const) {
    const how = born === "there" ? "in the host's namespace" : "by --netns";
    test(`a service manager is told that it is ready and that it ends, started ${how}`, () =>
      withDaemon(
        async (daemon) => {
          const socket = new NotifySocket(join(daemon.folder, "notify"));
          try {
            const child = asService(daemon, socket, born);
            const heard: string[] = [];
            await until("it is ready", () => {
              heard.push(...socket.heard());
              return heard.some((one) => one.startsWith("READY=1\nSTATUS="));
            });
            const { Pid } = await daemon.client.info(); // whoever is told finds one that answers
            assert.equal(Pid === child.pid, born === "there");
            // What it starts is not to speak for it.
            const told = await daemon.ok("run", "--rm", "env");
            assert.doesNotMatch(told, /NOTIFY_SOCKET/);
            const ended = once(child, "exit");
            child.kill("SIGTERM");
            assert.deepEqual(await ended, [0, null]);
            heard.push(...socket.heard());
            assert.match(heard.at(-1) ?? "", /^STOPPING=1\nSTATUS=Ending; /);
          } finally {
            socket.close();
          }
        },
        { started: false },
      ));
  }

  test("it ends in order at SIGTERM, SIGINT and SIGHUP, and commands go on", () =>
    withDaemon(async (daemon) => {
      await daemon.ok("run", "-d", "--name", "box", "busybox", "sleep", "1000");
      const { Pid } = (await daemon.client.sandbox("box")).State;
      for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
        assert.deepEqual(await daemon.end(signal), [0, null], signal);
        assert.match(daemon.log().trimEnd().split("\n").at(-1) ?? "", new RegExp(`"${signal}".*"ending"`));
        await daemon.start();
        assert.equal((await daemon.client.sandbox("box")).State.Pid, Pid);
      }
    }));

  test("a second signal ends it at once", () =>
    withDaemon(async (daemon) => {
      // It waits for what it has begun: to stop a command that does not heed SIGTERM.
      const deaf = "trap 'echo heard' TERM; echo up; while :; do sleep 1000 & wait; done";
      await daemon.ok("run", "-d", "--name", "deaf", "busybox", "sh", "-c", deaf);
      await until("it is deaf", async () => (await daemon.ok("logs", "deaf")) === "up");
      const stopping = daemon.open("stop", "-t", "600", "deaf");
      await until("it is being stopped", async () => (await daemon.ok("logs", "deaf")) === "up\nheard");
      const ended = daemon.end("SIGTERM");
      await until("it is ending", () => /"ending"/.test(daemon.log()));
      assert.deepEqual(await Promise.race([ended, daemon.end("SIGTERM")]), [null, "SIGTERM"]);
      assert.equal((await stopping.end()).status, 1);
      await daemon.start();
      await daemon.ok("kill", "deaf");
    }));

  test("a log that cannot be written ends no daemon", () =>
    withDaemon(
      async (daemon) => {
        const full = openSync("/dev/full", "w");
        const args = [weftProgram, "daemon", ...daemon.folders];
        const env = { PATH: process.env.PATH };
        const child = daemon.netns.start(process.execPath, args, {
          cwd: "/",
          env,
          stdio: ["ignore", full, full],
        });
        closeSync(full);
        await until("it answers", () =>
          daemon.client.info().then(
            () => true,
            () => false,
          ),
        );
        await daemon.ok("run", "-d", "--name", "box", "busybox", "sleep", "1000");
        const { Pid } = (await daemon.client.sandbox("box")).State;
        assert.notEqual(Pid, 0);
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        assert.deepEqual(await ended, [0, null]);
      },
      { started: false },
    ));
});
