import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WeftClient } from "../../../src/api/client/index.ts";
import { type HttpOptions, serveHttp } from "../../../src/api/index.ts";
import { WeftError } from "../../../src/core/index.ts";
import { fakeService } from "../fake-service.ts";
import { allOf, connectTo, type LogLine, logTo, withFolder, withServer } from "../http-fixture.ts";

function serve(socketPath: string, options: Partial<HttpOptions> = {}) {
  return serveHttp(fakeService().service, { listen: { socketPath }, log: logTo([]), ...options });
}

describe("the daemon's socket", () => {
  for (const [what, groups, options, mode, gid] of [
    ["for root and the group weft", "root:x:0:\nweft:x:4711:alice\n", {}, 0o660, 4711],
    ["for root's group when there is no group weft", "root:x:0:\nwefty:x:1:\n", {}, 0o660, 0],
    ["for another group and mode", "root:x:0:\nops:x:33:\n", { group: "ops", mode: 0o600 }, 0o600, 33],
    ["for root's group when the group's line is broken", "weft:x\n", {}, 0o660, 0],
    ["for root's group when the host has no list of groups", undefined, {}, 0o660, 0],
  ] as const)
    it(`is ${what}`, () =>
      withFolder(async (folder) => {
        const groupFile = path.join(folder, "group");
        if (groups !== undefined) writeFileSync(groupFile, groups);
        const socketPath = path.join(folder, "s");
        const server = await serve(socketPath, { groupFile, ...options });
        try {
          const stat = statSync(socketPath);
          assert.deepEqual([stat.isSocket(), stat.mode & 0o777, stat.uid, stat.gid], [true, mode, 0, gid]);
        } finally {
          await server.close(0);
        }
        assert.deepEqual(readdirSync(folder), groups === undefined ? [] : ["group"]);
      }));

  it("replaces that of a dead daemon", () =>
    withFolder(async (folder) => {
      const socketPath = path.join(folder, "s");
      await leaveDeadSocket(socketPath);
      await leaveDeadSocket(`${socketPath}.new`); // one that died before it had named its socket
      const server = await serve(socketPath);
      await new WeftClient({ socketPath }).ping();
      await server.close(0);
      assert.deepEqual(readdirSync(folder), []);
    }));

  it("does not replace that of a living one", () =>
    withFolder(async (folder) => {
      const socketPath = path.join(folder, "s");
      const server = await serve(socketPath);
      await assert.rejects(serve(socketPath), {
        code: "SOCKET_IN_USE",
        message: `a daemon is running and listens on ${socketPath}`,
      });
      await new WeftClient({ socketPath }).ping();
      await server.close(0);
    }));

  it("does not replace what is no socket", () =>
    withFolder(async (folder) => {
      const socketPath = path.join(folder, "s");
      writeFileSync(socketPath, "precious");
      await assert.rejects(serve(socketPath), {
        code: "INVALID_SOCKET_PATH",
        message: `${socketPath} is there and is no socket: remove it, or name another path`,
      });
      assert.equal(readFileSync(socketPath, "utf8"), "precious");
    }));

  it("is left when another daemon has taken its place", () =>
    withFolder(async (folder) => {
      const socketPath = path.join(folder, "s");
      const first = await serve(socketPath);
      renameSync(socketPath, path.join(folder, "elsewhere"));
      const second = await serve(socketPath);
      await first.close(0);
      await new WeftClient({ socketPath }).ping();
      await second.close(0);
    }));

  it("has a path that fits the kernel's", () =>
    withFolder(async (folder) => {
      const longest = path.join(folder, "s".repeat(103 - folder.length - 1));
      await (await serve(longest)).close(0);
      await assert.rejects(serve(`${longest}s`), {
        code: "INVALID_SOCKET_PATH",
        message: `the socket's path ${longest}s is too long: at most 103 bytes are possible`,
      });
    }));

  it("needs its folder", () =>
    withFolder(async (folder) => {
      const socketPath = path.join(folder, "none", "s");
      await assert.rejects(serve(socketPath), {
        code: "INVALID_SOCKET_PATH",
        message: `the socket ${socketPath} cannot be made: the folder ${path.dirname(socketPath)} is not there`,
      });
    }));

  it("may be one that listens already", () =>
    withFolder(async (folder) => {
      const socketPath = path.join(folder, "s");
      const listener = net.createServer().listen(socketPath);
      await once(listener, "listening");
      const { fd } = (listener as unknown as { _handle: { fd: number } })._handle; // Node has no other way to tell
      const program = fileURLToPath(new URL("fd-server.js", import.meta.url));
      const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit", fd] });
      try {
        assert.ok(child.stdout !== null && child.stdin !== null);
        await once(child.stdout, "data");
        renameSync(socketPath, `${socketPath}.given`); // closing removes what has the first name
        listener.close();
        await new WeftClient({ socketPath: `${socketPath}.given` }).ping();
        child.stdin.end();
        const [status] = await once(child, "exit");
        assert.equal(status, 0);
      } finally {
        child.kill("SIGKILL");
        listener.close();
      }
    }));
});

describe("a closing daemon", () => {
  it("answers what was begun, cuts streams off and takes nothing more", async () => {
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let begun = 0;
    const waits = (signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => {
        begun++;
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    const { service } = fakeService({
      createNetwork: async () => {
        begun++;
        await gate;
        return { Id: "1f", Warnings: [] };
      },
      waitSandbox: (_reference, signal) => waits(signal),
      async *logs(_reference, { signal }) {
        yield Buffer.from("one");
        await waits(signal);
      },
    });
    await withServer(service, async ({ client, server, socketPath, log }) => {
      const made = client.createNetwork({ Name: "web" });
      const waited = assert.rejects(client.waitSandbox("db"), {
        code: "ABORTED",
        message: "the daemon is closing",
      });
      const logged = assert.rejects(
        async () => {
          for await (const chunk of client.logs("db")) assert.equal(chunk.toString(), "one");
        },
        { code: "ANSWER_LOST" },
      );
      while (begun < 3) await turn();
      const closed = server.close();
      await Promise.all([waited, logged]);
      assert.equal(existsSync(socketPath), false);
      await assert.rejects(client.ping(), { code: "DAEMON_UNREACHABLE" });
      letGo();
      assert.deepEqual(await made, { Id: "1f", Warnings: [] });
      await closed;
      while (server.connections > 0) await turn();
      assert.ok(log.every(({ level }) => level === "debug"));
    });
  });

  it("does not wait for those that have not asked yet", async () => {
    const hour = 3_600_000;
    await withServer(
      fakeService().service,
      async ({ socketPath, server }) => {
        const [silent, half] = [await connectTo(socketPath), await connectTo(socketPath)];
        half.write("GET /v1/_ping HTTP/1.1\r\nHo");
        while (server.connections < 2) await turn();
        await server.close(hour);
        await Promise.all([allOf(silent), allOf(half)]);
        silent.destroy();
        half.destroy();
      },
      { limits: { headersMs: hour } },
    );
  });

  it("waits no longer than it is told to", async () => {
    const { service } = fakeService({ createNetwork: () => new Promise(() => {}) });
    await withServer(service, async ({ client, server }) => {
      const made = assert.rejects(client.createNetwork({ Name: "web" }), { code: "ANSWER_LOST" });
      while (server.connections === 0) await turn();
      await server.close(10);
      await made;
    });
  });

  it("answers what is given up when it has waited long enough", async () => {
    const closing = new AbortController();
    let begun = false;
    const stopSandbox = () => {
      begun = true;
      return new Promise<void>((_, reject) =>
        closing.signal.addEventListener("abort", () => reject(closing.signal.reason)),
      );
    };
    const { service } = fakeService({ stopSandbox });
    await withServer(service, async ({ client, server }) => {
      const stopped = assert.rejects(client.stopSandbox("db"), {
        code: "ABORTED",
        message: "the daemon is closing",
      });
      while (!begun) await turn();
      await server.close(10, () => closing.abort(new WeftError("ABORTED", "the daemon is closing")));
      await stopped;
    });
  });
});

describe("the metrics' port", () => {
  it("serves metrics at 127.0.0.1 and nothing else", async () => {
    const { service, calls } = fakeService();
    await withServer(
      service,
      async ({ server }) => {
        assert.deepEqual(await get(server.metricsPort, "/metrics"), [200, "# TYPE up gauge\nup 1\n"]);
        const [status, text] = await get(server.metricsPort, "/v1/networks");
        assert.deepEqual([status, JSON.parse(text).code], [404, "ROUTE_NOT_FOUND"]);
        assert.equal((await get(server.metricsPort, "/metrics", "DELETE"))[0], 405);
        assert.deepEqual(calls, [["metrics"]]);
      },
      { metricsPort: 0 },
    );
  });

  it("tells why there are none", async () => {
    const { service } = fakeService({ metrics: () => Promise.reject(new WeftError("STORE", "disk gone")) });
    const log: LogLine[] = [];
    await withServer(
      service,
      async ({ server }) => {
        const [status, text] = await get(server.metricsPort, "/metrics");
        assert.deepEqual([status, JSON.parse(text).message], [503, "disk gone"]);
        assert.deepEqual(
          log.map(({ level }) => level),
          ["error"],
        );
      },
      { metricsPort: 0, log: logTo(log) },
    );
  });

  it("that is taken lets no daemon start", () =>
    withFolder(async (folder) => {
      const socketPath = path.join(folder, "s");
      const taken = net.createServer().listen(0, "127.0.0.1");
      await once(taken, "listening");
      const { port } = taken.address() as net.AddressInfo; // it listens on TCP
      await assert.rejects(serve(socketPath, { metricsPort: port }), { code: "EADDRINUSE" });
      assert.equal(existsSync(socketPath), false);
      taken.close();
    }));
});

async function get(port: number | undefined, target: string, method = "GET"): Promise<[number, string]> {
  const request = http.request({ host: "127.0.0.1", port, path: target, method, agent: false }).end();
  const [answer] = (await once(request, "response")) as [http.IncomingMessage]; // `once` does not know events
  let text = "";
  for await (const chunk of answer) text += chunk;
  return [answer.statusCode ?? 0, text];
}

/** What a daemon that was killed leaves: a socket's file on which nobody listens. */
async function leaveDeadSocket(socketPath: string): Promise<void> {
  const server = net.createServer().listen(`${socketPath}.before`);
  await once(server, "listening");
  renameSync(`${socketPath}.before`, socketPath);
  server.close();
  await once(server, "close");
}
