import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { WeftClient } from "../../../src/api/client/index.ts";
import { allOf, connectTo, sendUntilRefused } from "../../api/http-fixture.ts";
import { until } from "../until.ts";
import { accountOf, assertHostHolds } from "./host-account.ts";
import { type TestDaemon, withDaemon } from "./test-daemon.ts";

const megabyte = 1024 * 1024;
const head = (lines: string) =>
  `POST /v1/networks HTTP/1.1\r\nContent-Type: application/json\r\n${lines}\r\n`;
const create = (name: string) => {
  const body = JSON.stringify({ Name: name });
  return `${head(`Content-Length: ${body.length}\r\n`)}${body}`;
};

/** Runs `work`, after which no connection is left, and nothing on the host that the daemon does not tell of. */
async function leavingNothing(daemon: TestDaemon, work: () => Promise<void>): Promise<void> {
  await daemon.ok("run", "--rm", "busybox", "true"); // what the first one loads is kept
  const before = descriptors(daemon);
  await work();
  await until(
    "the connections are closed",
    // A few others are those of the process that is kept ready for the next command.
    () => connections(daemon) === 0 && descriptors(daemon) < before + 5,
    () => `${connections(daemon)} connections; ${descriptors(daemon)} descriptors, ${before} before`,
  );
  await assertHostHolds(daemon, await accountOf(daemon));
  assert.deepEqual(await daemon.client.drift(), []);
}

function descriptors({ pid }: TestDaemon): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The daemon's ends of its clients' connections: sockets by the name of the one that listens, connected (3). */
function connections({ pid, socketPath }: TestDaemon): number {
  const sockets = readFileSync(`/proc/${pid}/net/unix`, "utf8").split("\n");
  return sockets.filter((line) => line.endsWith(` ${socketPath}`) && line.split(" ")[5] === "03").length;
}

/** The most memory that the daemon has ever had resident, bytes. */
function peakMemory({ pid }: TestDaemon): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}

suite("a daemon and clients that do not behave", () => {
  test("200 half-sent requests keep nobody waiting, and change nothing", () =>
    withDaemon((daemon) =>
      leavingNothing(daemon, async () => {
        const networks = await daemon.ok("network", "ls", "-q");
        const begun = ["POST /v1/netw", head("Content-Length: 14\r\n"), `${create("half").slice(0, -1)}`, ""];
        const sockets = await Promise.all(
          Array.from({ length: 200 }, async (_, i) => {
            const socket = await connectTo(daemon.socketPath);
            socket.on("error", () => {}); // it may be reset
            socket.write(begun[i % begun.length] ?? "");
            return socket;
          }),
        );
        assert.equal(await daemon.ok("network", "ls", "-q"), networks);
        assert.equal((await daemon.weft("network", "create", "whole")).status, 0);
        // How long they may take is the server's to say, and its tests'.
        for (const socket of sockets) socket.destroy();
        assert.deepEqual((await daemon.client.networks()).map(({ Name }) => Name).sort(), [
          "bridge",
          "host",
          "none",
          "whole",
        ]);
      }),
    ));

  test("bodies of 100 MB are refused before they are read", () =>
    withDaemon((daemon) =>
      leavingNothing(daemon, async () => {
        const before = peakMemory(daemon);
        const send = async () => {
          const socket = await connectTo(daemon.socketPath);
          socket.write(head("Transfer-Encoding: chunked\r\n"));
          const answer = allOf(socket);
          const chunk = Buffer.concat([
            Buffer.from("10000\r\n"),
            Buffer.alloc(65_536, 0x20),
            Buffer.from("\r\n"),
          ]);
          const taken = await sendUntilRefused(socket, { chunk, bytes: 100 * megabyte, answer });
          assert.ok(taken < 4 * megabyte, `${taken} bytes were taken`);
          assert.match(await answer, /^HTTP\/1.1 413 .*"code":"BODY_TOO_LARGE"/s);
          socket.destroy();
        };
        await Promise.all(Array.from({ length: 20 }, send));
        const grown = peakMemory(daemon) - before;
        // Twenty of the longest bodies that are read, and what Node has for each connection.
        assert.ok(grown < 150 * megabyte, `grown by ${Math.round(grown / megabyte)} MB`);
      }),
    ));

  test("500 connections at once are served, all of them and whoever comes besides", () =>
    withDaemon((daemon) =>
      leavingNothing(daemon, async () => {
        const clients = Array.from(
          { length: 500 },
          () => new WeftClient({ socketPath: daemon.socketPath, keepAlive: true }),
        );
        try {
          for (const _ of ["first", "again"]) {
            const answers = await Promise.all(clients.map((client) => client.networks()));
            for (const answer of answers) assert.equal(answer.length, 3);
          }
          const names = await Promise.all(
            clients.slice(0, 20).map(async (client, i) => client.createNetwork({ Name: `n${i}` })),
          );
          assert.equal(names.length, 20);
          assert.equal((await daemon.ok("network", "ls", "-q")).split("\n").length, 23);
        } finally {
          for (const client of clients) client.close();
        }
      }),
    ));

  test("clients that vanish in the middle of a change leave it whole or not made", () =>
    withDaemon((daemon) =>
      leavingNothing(daemon, async () => {
        for (let i = 0; i < 20; i++) {
          const socket = await connectTo(daemon.socketPath);
          socket.write(create(`gone${i}`));
          if (i % 2 === 0) socket.destroySoon();
          else socket.destroy();
        }
        for (let i = 0; i < 20; i++) {
          const made = await daemon.client.network(`gone${i}`).catch(() => undefined);
          if (made === undefined) await daemon.client.createNetwork({ Name: `gone${i}` }).catch(() => {});
        }
        const all = (await daemon.client.networks()).map(({ Name }) => Name);
        assert.deepEqual(all.filter((name) => name.startsWith("gone")).length, 20);
        for (let i = 0; i < 20; i++) await daemon.client.removeNetwork(`gone${i}`);
      }),
    ));

  test("clients that are killed while they start a command or read its output leave it whole", () =>
    withDaemon((daemon) =>
      leavingNothing(daemon, async () => {
        const writer = ["busybox", "sh", "-c", "while :; do echo line; sleep 0.05; done"];
        await daemon.ok("run", "-d", "--name", "writer", ...writer);
        const readers = Array.from({ length: 5 }, () => daemon.open("logs", "-f", "writer"));
        for (const { child } of readers) if (child.stdout !== null) await once(child.stdout, "data");
        // At different moments of a start.
        const starters = [0, 60, 90, 120, 150].map((ms, i) => ({
          ms,
          process: daemon.open("run", "-d", "--name", `box${i}`, "busybox", "sleep", "1000"),
        }));
        const begun = Date.now();
        for (const { ms, process } of starters) {
          await until("it is time", () => Date.now() - begun >= ms);
          process.child.kill("SIGKILL");
        }
        for (const one of readers) one.child.kill("SIGKILL");
        for (const one of [...readers, ...starters.map(({ process }) => process)]) await one.end();
        assert.equal((await daemon.client.sandbox("writer")).State.Running, true);
        // What goes on in the daemon for somebody who has gone comes to its end, and is seen by all.
        const settled = async () => (await daemon.client.sandboxes({}, { all: true })).every(isSettled);
        await until("all that was started is whole", settled);
        const { sandboxes } = await accountOf(daemon);
        for (const { Name } of sandboxes) await daemon.ok("sandbox", "rm", "-f", Name);
      }),
    ));
});

function isSettled({ State }: { readonly State: string }): boolean {
  return State === "running" || State === "created";
}
