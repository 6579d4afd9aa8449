import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Event } from "../../../src/api/index.ts";
import { isWeftError } from "../../../src/core/index.ts";
import { until } from "../until.ts";
import { hostAddresses, joinToHost } from "../uplink.ts";
import { Conversation, echoServer } from "./conversation.ts";
import { startTicksOf } from "./process-traces.ts";
import { type TestDaemon, withDaemon } from "./test-daemon.ts";

/** What must not change by a restart. */
async function facts({ client }: TestDaemon) {
  const sandboxes = await client.sandboxes({}, { all: true });
  const details = await Promise.all(sandboxes.map(({ Id }) => client.sandbox(Id)));
  return details.map(({ Name, State, Networks, Ports, SandboxKey }) => ({
    Name,
    Pid: State.Pid,
    began: startTicksOf(State.Pid),
    Networks,
    Ports,
    SandboxKey,
  }));
}

async function events({ client }: TestDaemon, since: string | undefined, count: number): Promise<Event[]> {
  const found: Event[] = [];
  try {
    for await (const event of client.events({ since })) if (found.push(event) === count) break;
  } catch (error) {
    if (!isWeftError(error, "ANSWER_LOST")) throw error;
  }
  return found;
}

suite("a daemon that ends and begins again", () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const)
    test(`by ${signal}: commands, addresses, ports and connections go on`, () =>
      withDaemon(
        async (daemon) => {
          await daemon.ok("network", "create", "--ipv6", "back");
          await daemon.ok(
            "run",
            "-d",
            "--name",
            "echo",
            "--network",
            "back",
            "-p",
            "7000:7000",
            ...echoServer(7000),
          );
          await daemon.ok("run", "-d", "--name", "other", "-p", "53/udp", "busybox", "sleep", "1000");
          await daemon.ok("network", "connect", "back", "other");
          await until(
            "it listens",
            async () =>
              (await daemon.weft("exec", "echo", "busybox", "nc", "-w", "2", "127.0.0.1", "7000")).status ===
              0,
          );
          const talk = new Conversation(daemon.outside, hostAddresses.ipv4, 7000);
          await talk.goOn();
          const before = await facts(daemon);

          await daemon.kill(signal);
          await talk.goOn();
          await daemon.start();
          await talk.goOn();
          assert.deepEqual(await facts(daemon), before);
          assert.deepEqual(await daemon.client.drift(), []);
          const another = new Conversation(daemon.outside, hostAddresses.ipv4, 7000);
          await another.goOn();
          assert.equal(
            (await daemon.weft("exec", "other", "busybox", "ping", "-c1", "-w5", "echo")).status,
            0,
          );
          assert.equal(await daemon.ok("stop", "-t", "1", "echo"), "echo");
          for (const one of [talk, another]) one.end();
        },
        { prepare: joinToHost },
      ));

  test("a command in the foreground outlives it, and ends as it ends", () =>
    withDaemon(async (daemon) => {
      const running = daemon.open("run", "-i", "--name", "front", "busybox", "sh", "-c", "read x; exit 5");
      await until("it runs", async () => {
        const listed = await daemon.client.sandboxes();
        return listed.some(({ Name, State }) => Name === "front" && State === "running");
      });
      await daemon.kill();
      await daemon.start();
      assert.equal((await daemon.client.sandbox("front")).State.Status, "running");
      assert.equal((await running.end("go on\n")).status, 5);
      assert.equal((await daemon.client.sandbox("front")).State.ExitCode, 5);
    }));

  test("what ended meanwhile is told as such, and what is always to run is started", () =>
    withDaemon(async (daemon) => {
      await daemon.ok("run", "-d", "--name", "once", "busybox", "sleep", "1000");
      await daemon.ok("run", "-d", "--name", "gone", "--rm", "busybox", "sleep", "1000");
      await daemon.ok("run", "-d", "--name", "lasting", "--restart", "always", "busybox", "sleep", "1000");
      const pids = (await facts(daemon)).map(({ Pid }) => Pid);
      await daemon.kill();
      for (const pid of pids) process.kill(pid, "SIGKILL");
      await until("they have ended", () => pids.every((pid) => startTicksOf(pid) === undefined));
      await daemon.start();
      await until("it runs again", async () => (await daemon.client.sandbox("lasting")).State.Running);
      const { Status, ExitCode } = (await daemon.client.sandbox("once")).State;
      assert.deepEqual({ Status, ExitCode }, { Status: "exited", ExitCode: null });
      assert.match(await daemon.ok("ps", "-a"), /Exited \(unknown\).* once/);
      await assert.rejects(daemon.client.sandbox("gone"), { code: "SANDBOX_NOT_FOUND" });
    }));

  test("whoever follows events goes on where it was", () =>
    withDaemon(async (daemon) => {
      const following = events(daemon, "0", Number.POSITIVE_INFINITY);
      await daemon.client.createNetwork({ Name: "one" });
      await daemon.client.createNetwork({ Name: "two" });
      const all = await events(daemon, "0", 3);
      const [, , two] = all;
      assert.deepEqual(all.map(({ Action, Actor }) => `${Action} ${Actor.Name}`).slice(1), [
        "create one",
        "create two",
      ]);
      const [, one] = all;
      assert.deepEqual(
        (await events(daemon, one?.Id, 1)).map(({ Id }) => Id),
        [two?.Id],
      );
      await daemon.kill();
      assert.deepEqual(
        (await following).map(({ Id }) => Id),
        all.map(({ Id }) => Id),
      );
      await daemon.start();
      await daemon.client.createNetwork({ Name: "three" });
      const rest = await events(daemon, two?.Id, 2);
      assert.deepEqual(
        rest.map(({ Action }) => Action),
        ["start", "create"],
      );
    }));
});
