import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { changes, WeftClient } from "../../../src/api/client/index.ts";
import { linesOf } from "../../../src/api/client/lines.ts";
import { WeftError } from "../../../src/core/index.ts";
import { everythingOf, fakeService, inTurn } from "../fake-service.ts";
import { withFolder, withServer } from "../http-fixture.ts";

describe("a client without a daemon", () => {
  it("says where it looked and what to do", () =>
    withFolder(async (folder) => {
      const socketPath = path.join(folder, "weft.sock");
      const message = `cannot reach the daemon at ${socketPath}: is it running? start it with \`weft up\``;
      const client = new WeftClient({ socketPath });
      await assert.rejects(client.version(), { code: "DAEMON_UNREACHABLE", message });
      await assert.rejects(client.removeNetwork("web"), { code: "DAEMON_UNREACHABLE", message });
      await assert.rejects(everythingOf(client.events()), { code: "DAEMON_UNREACHABLE", message });
      await assert.rejects(new WeftClient({ socketPath: folder }).ping(), { code: "DAEMON_UNREACHABLE" });
    }));

  it("that lacks the permission says so", () =>
    withServer(fakeService().service, async ({ socketPath }) => {
      chmodSync(path.dirname(socketPath), 0o755);
      const client = new URL("../../../src/api/client/index.js", import.meta.url);
      const program = `
        import { WeftClient } from ${JSON.stringify(client.href)};
        process.setgid(65534); process.setuid(65534);
        await new WeftClient({ socketPath: ${JSON.stringify(socketPath)} }).ping()
          .then(() => console.log("reached"), ({ code, message }) => console.log(code + " " + message));`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let told = "";
      for await (const chunk of child.stdout) told += chunk;
      assert.equal(
        told,
        `DAEMON_FORBIDDEN permission denied to use the daemon at ${socketPath}: be root, or a member of the group that the socket belongs to\n`,
      );
    }));
});

describe("a client that keeps its connections", () => {
  /** A daemon that ends a connection when a second request comes on it, as one does that was about to end it. */
  async function withHastyDaemon(work: (client: WeftClient, asked: readonly string[]) => Promise<void>) {
    await withFolder(async (folder) => {
      const asked: string[] = [];
      const sockets = new Set<net.Socket>();
      const server = net.createServer((socket) => {
        sockets.add(socket.on("error", () => {}));
        socket.once("data", (first) => {
          asked.push(String(first).split(" ", 1)[0] ?? "");
          socket.once("data", () => socket.destroy());
          socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]");
        });
      });
      const socketPath = path.join(folder, "weft.sock");
      await once(server.listen(socketPath), "listening");
      const client = new WeftClient({ socketPath, keepAlive: true });
      try {
        await work(client, asked);
      } finally {
        client.close();
        for (const socket of sockets) socket.destroy();
        server.close();
      }
    });
  }

  it("asks again when the daemon has ended one", () =>
    withHastyDaemon(async (client, asked) => {
      for (let i = 0; i < 3; i++) assert.deepEqual(await client.networks(), []);
      assert.deepEqual(asked, ["GET", "GET", "GET"]);
    }));

  it("changes nothing by them: that might be asked twice, or not at all", () =>
    withHastyDaemon(async (client, asked) => {
      assert.deepEqual(await client.networks(), []);
      await client.removeNetwork("one");
      await client.removeNetwork("two");
      assert.deepEqual(asked, ["GET", "DELETE", "DELETE"]);
    }));
});

describe("a client whose daemon", () => {
  const answers: readonly (readonly [what: string, answer: string, code: string, message: string])[] = [
    [
      "closes without an answer",
      "",
      "ANSWER_LOST",
      "the daemon at SOCKET went away before it had answered: whether it did what was asked is not known",
    ],
    ["breaks off in its head", "HTTP/1.1 200 OK\r\nCont", "ANSWER_LOST", ""],
    ["breaks off in its body", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", "ANSWER_LOST", ""],
    ["breaks off in a refusal", "HTTP/1.1 404 Not Found\r\nContent-Length: 50\r\n\r\n{", "ANSWER_LOST", ""],
    ["answers something else than HTTP", "SSH-2.0-OpenSSH_9\r\n", "ANSWER_LOST", ""],
    [
      "answers something else than JSON",
      answerOf(200, "<html>"),
      "BAD_ANSWER",
      "the daemon answered something that is no JSON",
    ],
    [
      "refuses without a reason",
      answerOf(502, "<html>"),
      "BAD_ANSWER",
      "the daemon answered with status 502 and no reason",
    ],
    [
      "refuses with half a reason",
      answerOf(500, '{"message":7}'),
      "BAD_ANSWER",
      "the daemon answered with status 500 and no reason",
    ],
    [
      "refuses with a code of a later version",
      answerOf(400, '{"message":"no moon","code":"NO_MOON"}'),
      "BAD_ANSWER",
      "no moon",
    ],
    [
      "refuses with a code that every object has",
      answerOf(400, '{"message":"no","code":"toString"}'),
      "BAD_ANSWER",
      "no",
    ],
  ];
  for (const [what, answer, code, message] of answers)
    it(`${what} throws ${code}`, () =>
      withFolder(async (folder) => {
        const socketPath = path.join(folder, "s");
        const server = net.createServer((socket) => {
          socket.on("error", () => {});
          socket.once("data", () => socket.end(answer));
        });
        await once(server.listen(socketPath), "listening");
        try {
          await assert.rejects(new WeftClient({ socketPath }).version(), (error) => {
            assert.ok(error instanceof WeftError);
            assert.equal(error.code, code);
            if (message !== "") assert.equal(error.message, message.replace("SOCKET", socketPath));
            return true;
          });
        } finally {
          server.close();
        }
      }));
});

describe("a client", () => {
  it("refuses a reference that would change the path's meaning, before it asks", async () => {
    const { service, calls } = fakeService();
    await withServer(service, async ({ client }) => {
      for (const reference of ["", ".", ".."])
        await assert.rejects(async () => client.removeNetwork(reference), {
          code: "INVALID_NAME",
          message: `invalid reference ${JSON.stringify(reference)}: it should be a name, an id, or the beginning of an id`,
        });
      assert.deepEqual(calls, []);
    });
  });

  it("ends every request by its own signal", async () => {
    const { service } = fakeService({ sandbox: () => new Promise(() => {}) });
    await withServer(service, async ({ socketPath }) => {
      const signal = AbortSignal.timeout(20);
      const client = new WeftClient({ socketPath, signal });
      await assert.rejects(client.sandbox("db"), { code: "ABORTED" });
      await assert.rejects(client.sandbox("db"), { code: "ABORTED" });
    });
  });

  it("has the changes as values, to be planned", () => {
    assert.deepEqual(changes.connect("web", { Sandbox: "db" }), {
      Method: "POST",
      Path: "/v1/networks/web/connect",
      Body: { Sandbox: "db" },
    });
    assert.deepEqual(changes.pruneNetworks(), { Method: "POST", Path: "/v1/networks/prune" });
    assert.deepEqual(changes.stopSandbox("db", { timeout: 0 }), {
      Method: "POST",
      Path: "/v1/sandboxes/db/stop?timeout=0",
    });
  });

  it("loads nothing but errors and what Node brings", () => {
    const loaded = new Set<string>();
    const outside = new Set<string>();
    const visit = (file: string) => {
      if (loaded.has(file)) return;
      loaded.add(file);
      assert.ok(existsSync(file), file);
      for (const [, target = ""] of readFileSync(file, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g))
        if (target.startsWith(".")) visit(path.resolve(path.dirname(file), target));
        else outside.add(target);
    };
    const src = fileURLToPath(new URL("../../../src/", import.meta.url));
    visit(path.join(src, "api/client/index.js"));
    const others = [...loaded]
      .map((file) => path.relative(src, file))
      .filter((file) => !file.startsWith("api/client/"));
    assert.deepEqual(others.sort(), ["core/error-catalogue.js", "core/errors.js"]);
    for (const name of outside) assert.match(name, /^node:/);
  });
});

describe("lines", () => {
  it("are found wherever the pieces are cut", async () => {
    const bytes = Buffer.from('{"a":"ü"}\n\n\n{"b":"€😀"}\nlast');
    for (let size = 1; size <= bytes.length; size++) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
        bytes.subarray(n * size, (n + 1) * size),
      );
      assert.deepEqual(await everythingOf(linesOf(inTurn(pieces))), ['{"a":"ü"}', '{"b":"€😀"}', "last"]);
    }
  });
});

function answerOf(status: number, body: string): string {
  return `HTTP/1.1 ${status} X\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
