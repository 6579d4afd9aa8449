import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { WeftClient } from "../../../src/api/client/index.ts";
import { WeftError } from "../../../src/core/index.ts";
import { fakeService, sampleNetwork } from "../fake-service.ts";
import { allOf, ask, connectTo, sendUntilRefused, withServer } from "../http-fixture.ts";

const hundredMegabytes = 100 * 1024 * 1024;

describe("a connection", () => {
  it("whose request's head does not end is told so and closed", async () => {
    const { service, calls } = fakeService();
    await withServer(
      service,
      async ({ socketPath }) => {
        const socket = await connectTo(socketPath);
        socket.write("GET /v1/_ping HTTP/1.1\r\nHos");
        assert.match(await allOf(socket), /^HTTP\/1.1 408 .*Connection: close.*"code":"REQUEST_TIMEOUT"/s);
        assert.deepEqual(calls, []);
      },
      { limits: { headersMs: 30, checkMs: 10 } },
    );
  });

  it("whose request's body does not end is told so and closed, and nobody is asked", async () => {
    const { service, calls } = fakeService();
    await withServer(
      service,
      async ({ socketPath }) => {
        const socket = await connectTo(socketPath);
        socket.write(
          `POST /v1/networks HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"Name":`,
        );
        assert.match(await allOf(socket), /^HTTP\/1.1 408 .*Connection: close.*"code":"REQUEST_TIMEOUT"/s);
        assert.deepEqual(calls, []);
      },
      { limits: { headersMs: 20, bodyMs: 20, checkMs: 10 } },
    );
  });

  it("that breaks off in its body asks nobody", async () => {
    const { service, calls } = fakeService();
    await withServer(service, async ({ socketPath, server }) => {
      const socket = await connectTo(socketPath);
      socket.write(
        `POST /v1/networks HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"Name":`,
      );
      socket.end();
      await allOf(socket);
      socket.destroy();
      while (server.connections > 0) await turn();
      assert.deepEqual(calls, []);
    });
  });

  for (const [what, head, frame] of [
    ["said to have", `Content-Length: ${hundredMegabytes}`, (chunk: Buffer) => chunk],
    [
      "without a length that has",
      "Transfer-Encoding: chunked",
      (chunk: Buffer) =>
        Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]),
    ],
  ] as const)
    it(`reads no more of a body ${what} 100 MB than it takes, and says why`, async () => {
      const { service, calls } = fakeService();
      await withServer(service, async ({ socketPath }) => {
        const socket = await connectTo(socketPath);
        socket.write(`POST /v1/networks HTTP/1.1\r\nContent-Type: application/json\r\n${head}\r\n\r\n`);
        const answer = allOf(socket);
        const sent = await sendUntilRefused(socket, {
          chunk: frame(Buffer.alloc(65_536, 0x20)),
          bytes: hundredMegabytes,
          answer,
        });
        assert.match(await answer, /^HTTP\/1.1 413 .*[Cc]onnection: close.*"code":"BODY_TOO_LARGE"/s);
        assert.ok(sent < 4 * 1024 * 1024, `${sent} bytes were taken`);
        assert.deepEqual(calls, []);
        socket.destroy();
      });
    });

  it("is not asked for a body that would be refused", async () => {
    await withServer(fakeService().service, async ({ socketPath }) => {
      const socket = await connectTo(socketPath);
      socket.write(
        `POST /v1/networks HTTP/1.1\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${hundredMegabytes}\r\n\r\n`,
      );
      assert.match(await allOf(socket), /^HTTP\/1.1 413 /);
      socket.destroy();
    });
  });

  it("is asked for a body that it offers", async () => {
    const { service, calls } = fakeService();
    await withServer(service, async ({ socketPath }) => {
      const socket = await connectTo(socketPath);
      const body = '{"Name":"web"}';
      socket.write(
        `POST /v1/networks HTTP/1.1\r\nContent-Type: application/json\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
      );
      await once(socket, "readable");
      assert.equal(socket.read().toString(), "HTTP/1.1 100 Continue\r\n\r\n");
      socket.write(body);
      assert.match(await allOf(socket), /^HTTP\/1.1 201 /);
      assert.equal(calls.length, 1);
      socket.destroy();
    });
  });

  it("is one of 500 that are served at once", async () => {
    let waiting = 0;
    let letGo = () => {};
    const all = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const { service } = fakeService({
      network: async () => {
        if (++waiting === 500) letGo();
        await all;
        return sampleNetwork;
      },
    });
    await withServer(service, async ({ client, server }) => {
      const answers = await Promise.all(Array.from({ length: 500 }, (_, n) => client.network(`net${n}`)));
      assert.equal(answers.length, 500);
      assert.ok(answers.every(({ Name }) => Name === "web"));
      while (server.connections > 0) await turn();
    });
  });

  it("beyond the most is refused in words, and taken again when one has ended", async () => {
    await withServer(
      fakeService().service,
      async ({ socketPath, client, server }) => {
        const sockets = [
          await connectTo(socketPath),
          await connectTo(socketPath),
          await connectTo(socketPath),
        ];
        const fourth = await connectTo(socketPath);
        assert.match(await allOf(fourth), /^HTTP\/1.1 503 .*"code":"TOO_MANY_CONNECTIONS"/s);
        await assert.rejects(client.ping(), { code: "TOO_MANY_CONNECTIONS" });
        fourth.destroy();
        sockets.pop()?.destroy();
        while (server.connections > 2) await turn();
        await client.ping();
        for (const socket of sockets) socket.destroy();
      },
      { limits: { connections: 3, lingerMs: 10 } },
    );
  });

  it("is kept after a refusal, and closed when a refused body may still come", async () => {
    await withServer(fakeService().service, async ({ socketPath }) => {
      const socket = await connectTo(socketPath);
      const answer = allOf(socket);
      socket.write("GET /v1/nothing HTTP/1.1\r\n\r\nPUT /v1/networks HTTP/1.1\r\n\r\n");
      socket.write("PUT /v1/networks HTTP/1.1\r\nContent-Length: 9\r\n\r\n{");
      const statuses = [...(await answer).matchAll(/HTTP\/1.1 (\d+)|^Connection: (.*)$/gim)];
      assert.deepEqual(
        statuses.map(([, status, connection]) => status ?? connection),
        ["404", "keep-alive", "405", "keep-alive", "405", "close"],
      );
      socket.destroy();
    });
  });

  it("may be kept for many requests", async () => {
    await withServer(fakeService().service, async ({ socketPath, server }) => {
      const client = new WeftClient({ socketPath, keepAlive: true });
      for (let n = 0; n < 20; n++) {
        await client.networks();
        assert.equal(server.connections, 1);
      }
      client.close();
      while (server.connections > 0) await turn();
    });
  });
});

describe("a client that vanishes", () => {
  it("ends nothing that was begun to be done", async () => {
    let letGo = () => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let asked = () => {};
    const begun = new Promise<void>((resolve) => {
      asked = resolve;
    });
    let done = false;
    const { service } = fakeService({
      createNetwork: async () => {
        asked();
        await gate;
        done = true;
        return { Id: "1f", Warnings: [] };
      },
    });
    await withServer(service, async ({ socketPath, server, log }) => {
      const abort = new AbortController();
      const client = new WeftClient({ socketPath, signal: abort.signal });
      const answer = client.createNetwork({ Name: "web" });
      await begun;
      abort.abort(new Error("no more patience"));
      await assert.rejects(answer, { code: "ABORTED", message: "aborted: no more patience" });
      while (server.connections > 0) await turn();
      assert.equal(done, false);
      letGo();
      while (!done) await turn();
      assert.deepEqual(
        log.map(({ level, fields }) => [level, fields.answered]),
        [["debug", false]],
      );
    });
  });

  it("ends what only waits", async () => {
    const { service } = fakeService({
      waitSandbox: (_reference, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    });
    await withServer(service, async ({ client, server, log }) => {
      const signal = AbortSignal.timeout(20);
      await assert.rejects(client.waitSandbox("db", signal), { code: "ABORTED" });
      while (server.connections > 0) await turn();
      await turn();
      assert.deepEqual(
        log.filter(({ level }) => level === "error"),
        [],
      );
    });
  });
});

describe("a failure of the daemon", () => {
  const kinds = [
    ["INVALID_NAME", 400],
    ["NETWORK_NOT_FOUND", 404],
    ["NETWORK_EXISTS", 409],
    ["NETWORK_HAS_ENDPOINTS", 403],
    ["STORE", 503],
    ["FEATURE_MISSING", 501],
    ["LAUNCH", 500],
  ] as const;
  for (const [code, status] of kinds)
    it(`${code} is told with status ${status}, as it was thrown`, async () => {
      const thrown = new WeftError(code, "no such thing", {
        details: { name: "web" },
        cause: new Error("deep"),
      });
      const { service } = fakeService({ removeNetwork: () => Promise.reject(thrown) });
      await withServer(service, async ({ client, socketPath, log }) => {
        await assert.rejects(client.removeNetwork("web"), (error) => {
          assert.ok(error instanceof WeftError);
          assert.deepEqual(
            [error.code, error.message, error.details],
            [code, "no such thing", { name: "web" }],
          );
          return true;
        });
        assert.equal((await ask(socketPath, "DELETE", "/v1/networks/web")).status, status);
        const logged = log.filter(({ level }) => level === "error").map(({ fields }) => fields.err);
        assert.deepEqual(logged, status >= 500 ? [thrown, thrown] : []);
      });
    });

  it("that is a defect is told as INTERNAL and logged with its cause, but never with a body", async () => {
    const { service } = fakeService({
      createSandbox: () => Promise.reject(new TypeError("x is not a function")),
    });
    await withServer(service, async ({ client, log }) => {
      await assert.rejects(client.createSandbox({ Command: { Args: ["a"], Env: ["TOKEN=secret"] } }), {
        code: "INTERNAL",
        message: "internal error: x is not a function",
      });
      assert.ok(log.some(({ level, fields }) => level === "error" && fields.err instanceof TypeError));
      assert.ok(!JSON.stringify(log).includes("secret"));
    });
  });

  it("with a value that JSON has no word for is told all the same", async () => {
    const { service } = fakeService({
      drift: async () => [{ Drift: "changed", Object: "x", Wanted: 2n ** 70n }],
      removeNetwork: async () => {
        throw new WeftError("KERNEL", "no", { details: { handle: 7n } });
      },
    });
    await withServer(service, async ({ client }) => {
      assert.deepEqual(await client.drift(), [
        { Drift: "changed", Object: "x", Wanted: "1180591620717411303424" },
      ]);
      await assert.rejects(client.removeNetwork("web"), { code: "KERNEL", details: { handle: "7" } });
    });
  });
});
