import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import type { Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import type { Socket } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import { isWeftError, parseAddress } from "../../src/core/index.ts";
import * as sys from "../../src/kernel/syscalls.ts";
import { type PortProxiesEvent, type PortProxy, ProxyService } from "../../src/ports/index.ts";
import { until } from "../e2e/until.ts";
import { bindIn, bindUdp, closed, connectTcp, serveTcp } from "./netns-sockets.ts";
import { checkPortProxies } from "./port-proxies-compliance.ts";
import { type ProxiedHost, sandboxAddress, withProxiedHost } from "./proxied-host.ts";

interface Served extends ProxiedHost {
  readonly service: ProxyService;
}

const openFdCount = () => readdirSync("/proc/self/fd").length;

/** Runs `work` with a service, and checks that it leaves no descriptor. */
async function withService(work: (given: Served) => Promise<void>): Promise<void> {
  await withProxiedHost(async (given) => {
    const before = openFdCount();
    const service = await ProxyService.start(given.host.path);
    try {
      await work({ ...given, service });
    } finally {
      await service.close();
      given.ports.close();
    }
    await until("every descriptor is closed", () => openFdCount() <= before);
  });
}

/** All that a connection sends until it ends. */
async function read(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "end");
  return Buffer.concat(chunks);
}

/** How a connection comes to its end: by a proper one, or an error's code. */
async function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on("end", () => resolve("end"));
    socket.resume();
  });
}

/** Sends a datagram and gives what comes back, and from where. */
async function ask(socket: UdpSocket, text: string, port: number, address: string): Promise<string> {
  const answered = once(socket, "message");
  socket.send(text, port, address);
  const [message, from] = await answered;
  return `${message} from ${from.address}:${from.port}`;
}

/** Answers each datagram with itself in capitals. */
async function serveUdp(given: ProxiedHost, port: number): Promise<UdpSocket> {
  const server = await bindUdp(given.sandbox, sandboxAddress, port);
  server.on("message", (message, from) =>
    server.send(message.toString().toUpperCase(), from.port, from.address),
  );
  return server;
}

test("tcp clients of every address of the host reach a sandbox that has IPv4 only", async () => {
  await withService(async (given) => {
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => socket.pipe(socket));
    await given.service.serve(given.publish("8080:80"));
    for (const address of ["::1", "2001:db8::1", "127.0.0.1", "192.0.2.2", "10.9.0.1"]) {
      const client = connectTcp(given.host, address, 8080);
      client.end(`hello from ${address}`);
      assert.equal((await read(client)).toString(), `hello from ${address}`);
    }
    const { counters, ports, openConnections } = await given.service.stats();
    assert.deepEqual([ports, openConnections, counters.connections], [1, 0, 5]);
    assert.ok(counters.bytesIn > 0 && counters.bytesIn === counters.bytesOut);
    await closed(server);
  });
});

test("clients of IPv4 and of IPv6 are led to a target each where one socket takes both", async () => {
  await withService(async (given) => {
    const servers = await Promise.all(
      [80, 81].map((port) =>
        serveTcp(given.sandbox, [sandboxAddress, port], (socket) => socket.end(`from ${port}`)),
      ),
    );
    const answering = await Promise.all([53, 54].map((port) => serveUdp(given, port)));
    const ipv4Target = (port: number) => ({ address: parseAddress(sandboxAddress), port });
    const [tcp, udp] = given.publish("8080:81", "5353:54/udp");
    assert.ok(tcp !== undefined && udp !== undefined);
    await given.service.serve([
      { ...tcp, ipv4Target: ipv4Target(80) },
      { ...udp, ipv4Target: ipv4Target(53) },
    ]);
    answering[0]?.removeAllListeners("message");
    answering[0]?.on("message", (_message, from) => answering[0]?.send("other", from.port, from.address));
    for (const [address, port, answer] of [
      ["127.0.0.1", 80, "other"],
      ["::1", 81, "HELLO"],
      ["192.0.2.1", 80, "other"],
      ["2001:db8::1", 81, "HELLO"],
    ] as const) {
      const client = connectTcp(given.host, address, 8080);
      assert.equal((await read(client)).toString(), `from ${port}`);
      client.destroy();
      const asking = await bindUdp(given.host, address);
      assert.equal(await ask(asking, "hello", 5353, address), `${answer} from ${address}:5353`);
      await closed(asking);
    }
    await Promise.all([...servers, ...answering].map(closed));
  });
});

test("connections that came before the port was served are served then", async () => {
  await withService(async (given) => {
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => socket.pipe(socket));
    const proxies = given.publish("8080:80");
    const client = connectTcp(given.host, "::1", 8080);
    client.end("early");
    await given.service.serve(proxies);
    assert.equal((await read(client)).toString(), "early");
    await closed(server);
  });
});

test("a large transfer arrives whole both ways, and a reader that is slow holds the writer back", async () => {
  await withService(async (given) => {
    const accepted: Socket[] = [];
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => accepted.push(socket), {
      pauseOnConnect: true,
    });
    await given.service.serve(given.publish("8080:80"));
    const client = connectTcp(given.host, "::1", 8080);
    const block = randomBytes(1 << 20);
    const blocks = 64;
    const expected = createHash("sha256");
    for (let i = 0; i < blocks; i++) {
      expected.update(block);
      client.write(block);
    }
    client.end();
    // What a stopped reader's kernel and ours hold is a few MB, see net.ipv4.tcp_rmem and tcp_wmem.
    let passed = -1;
    await until("no more is taken", async () => {
      const { counters } = await given.service.stats();
      const stands = counters.bytesIn === passed && counters.bytesIn > 0;
      passed = counters.bytesIn;
      return stands;
    });
    assert.ok(passed < (blocks << 20) / 2, `${passed} bytes were taken`);
    const [socket] = accepted;
    assert.ok(socket !== undefined);
    const digest = createHash("sha256");
    socket.on("data", (chunk: Buffer) => digest.update(chunk));
    socket.resume();
    await once(socket, "end");
    const sum = digest.digest("hex");
    assert.equal(sum, expected.digest("hex"));
    const back = read(client);
    for (let i = 0; i < blocks; i++) socket.write(block);
    socket.end();
    assert.equal(
      createHash("sha256")
        .update(await back)
        .digest("hex"),
      sum,
    );
    const { counters } = await given.service.stats();
    assert.deepEqual([counters.bytesIn, counters.bytesOut], [blocks << 20, blocks << 20]);
    await closed(server);
  });
});

test("each half of a connection ends by itself", async () => {
  await withService(async (given) => {
    const accepted: Socket[] = [];
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => accepted.push(socket));
    await given.service.serve(given.publish("8080:80"));
    for (const first of ["client", "server"]) {
      const client = connectTcp(given.host, "::1", 8080);
      await until("the connection is through", () => accepted.length > 0);
      const socket = accepted.pop();
      assert.ok(socket !== undefined);
      const [early, late] = first === "client" ? [client, socket] : [socket, client];
      const told = read(late);
      early.end("that is all");
      assert.equal((await told).toString(), "that is all");
      const answer = read(early);
      late.write("but ");
      late.end("not here");
      assert.equal((await answer).toString(), "but not here");
    }
    await closed(server);
  });
});

test("a refused target, and a reset of either end, are passed on at once", async () => {
  await withService(async (given) => {
    await given.service.serve(given.publish("8080:80"));
    const refused = connectTcp(given.host, "::1", 8080);
    assert.equal(await endOf(refused), "ECONNRESET");
    const accepted: Socket[] = [];
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => accepted.push(socket));
    const connect = async () => {
      const client = connectTcp(given.host, "::1", 8080);
      await until("the connection is through", () => accepted.length > 0);
      const socket = accepted.pop();
      assert.ok(socket !== undefined);
      return { client, socket };
    };
    const one = await connect();
    one.socket.resetAndDestroy();
    assert.equal(await endOf(one.client), "ECONNRESET");
    const other = await connect();
    other.client.resetAndDestroy();
    assert.equal(await endOf(other.socket), "ECONNRESET");
    const { counters, openConnections } = await given.service.stats();
    assert.deepEqual([counters.connections, counters.connectionFailures, openConnections], [3, 1, 0]);
    await closed(server);
  });
});

test("what was sent before a reset still arrives", async () => {
  await withService(async (given) => {
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => {
      socket.on("error", () => {});
      socket.end("goodbye", () => socket.destroy()); // what the client sent is not read: a reset follows
    });
    await given.service.serve(given.publish("8080:80"));
    const client = connectTcp(given.host, "::1", 8080);
    client.write("are you there?");
    assert.equal((await read(client)).toString(), "goodbye");
    client.destroy();
    await closed(server);
  });
});

test("udp answers come from the address that was asked, and find their client", async () => {
  await withService(async (given) => {
    const server = await serveUdp(given, 53);
    await given.service.serve(given.publish("5353:53/udp"));
    for (const [from, to] of [
      ["::1", "::1"],
      ["::", "2001:db8::1"],
      ["2001:db8::1", "2001:db8::2"], // by itself the kernel would answer from the client's own address
      ["127.0.0.1", "127.0.0.1"],
      ["0.0.0.0", "192.0.2.1"],
      ["192.0.2.1", "192.0.2.2"],
      ["0.0.0.0", "10.9.0.1"],
    ] as const) {
      const [one, other] = await Promise.all([bindUdp(given.host, from), bindUdp(given.host, from)]);
      const answers = await Promise.all([ask(one, "one", 5353, to), ask(other, "other", 5353, to)]);
      assert.deepEqual(answers, [`ONE from ${to}:5353`, `OTHER from ${to}:5353`]);
      assert.equal(await ask(one, "again", 5353, to), `AGAIN from ${to}:5353`);
      await Promise.all([closed(one), closed(other)]);
    }
    const { counters, openSessions } = await given.service.stats();
    assert.deepEqual([counters.sessions, openSessions, counters.datagramsDropped], [14, 14, 0]);
    await closed(server);
  });
});

test("one client that asks two of the host's addresses has an answer from each", async () => {
  await withService(async (given) => {
    const server = await serveUdp(given, 53);
    await given.service.serve(given.publish("5353:53/udp"));
    const client = await bindUdp(given.host, "::1");
    for (let round = 0; round < 2; round++)
      for (const address of ["2001:db8::1", "2001:db8::2"])
        assert.equal(await ask(client, "x", 5353, address), `X from ${address}:5353`);
    assert.equal((await given.service.stats()).openSessions, 2);
    await Promise.all([closed(client), closed(server)]);
  });
});

test("datagrams of every size pass whole, empty ones too", async () => {
  await withService(async (given) => {
    const server = await bindUdp(given.sandbox, sandboxAddress, 53);
    server.on("message", (message, from) => server.send(message, from.port, from.address));
    await given.service.serve(given.publish("5353:53/udp"));
    const client = await bindUdp(given.host, "::1");
    for (const length of [0, 1, 1500, 9000, 65_000]) {
      const sent = randomBytes(length);
      const answered = once(client, "message");
      client.send(sent, 5353, "::1");
      const [message] = await answered;
      assert.deepEqual(message, sent);
    }
    await Promise.all([closed(client), closed(server)]);
  });
});

test("a udp target that refuses costs its session, and the next one is served", async () => {
  await withService(async (given) => {
    await given.service.serve(given.publish("5353:53/udp"));
    const client = await bindUdp(given.host, "::1");
    client.send("nobody there", 5353, "::1");
    await until(
      "the refusal is noticed",
      async () => (await given.service.stats()).counters.sessionFailures === 1,
    );
    assert.equal((await given.service.stats()).openSessions, 0);
    const server = await serveUdp(given, 53);
    assert.equal(await ask(client, "now", 5353, "::1"), "NOW from ::1:5353");
    await Promise.all([closed(client), closed(server)]);
  });
});

test("stopping ends the connections of that port alone; its port is free then, and can be served again", async () => {
  await withService(async (given) => {
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => {
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    const [one, other] = [given.publish("8080:80"), given.publish("8081:80")];
    await given.service.serve([...one, ...other]);
    const clients = [8080, 8081].map((port) => connectTcp(given.host, "::1", port));
    const [gone, stays] = clients;
    assert.ok(gone !== undefined && stays !== undefined);
    for (const client of clients) {
      client.write("hello");
      await once(client, "data");
    }
    const ended = endOf(gone);
    const ids = one.map(({ id }) => id);
    await given.service.stop(ids);
    await given.service.stop([...ids, "none"]);
    assert.equal(await ended, "ECONNRESET");
    stays.write("still");
    assert.equal(String((await once(stays, "data"))[0]), "still");
    given.ports.release(
      "owner",
      given.ports.bindings.filter(({ hostPort }) => hostPort === 8080),
    );
    sys.close(bindIn(given.host, "::", 8080, sys.SOCK_STREAM));
    await given.service.serve(given.publish("8080:80"));
    const again = connectTcp(given.host, "::1", 8080);
    again.end("again");
    assert.equal((await read(again)).toString(), "again");
    stays.destroy();
    await closed(server);
  });
});

test("all of a batch are served or none, and an id is served once", async () => {
  await withService(async (given) => {
    const [first, ...rest] = given.publish("8080:80", "8081:80", "5353:53/udp");
    assert.ok(first !== undefined);
    const before = openFdCount();
    const conflict = (error: unknown) =>
      isWeftError(error, "OBJECT_CONFLICT") && error.message.includes(first.id);
    await assert.rejects(given.service.serve([first, ...rest, first]), conflict);
    const kernel = (error: unknown) => isWeftError(error, "KERNEL");
    await assert.rejects(given.service.serve([first, { ...first, id: "closed", fd: 1 << 20 }]), kernel);
    const udp = rest.find(({ protocol }) => protocol === "udp");
    assert.ok(udp !== undefined);
    const wrong: readonly PortProxy[] = [
      { ...udp, id: "wrong", protocol: "tcp" },
      { ...first, id: "wrong", protocol: "udp" },
      { ...first, id: "wrong", fd: 0 },
    ];
    for (const one of wrong) await assert.rejects(given.service.serve([first, one]), kernel);
    const unbound = bindIn(given.host, "127.0.0.1", 0, sys.SOCK_STREAM);
    await assert.rejects(given.service.serve([{ ...first, fd: unbound }]), kernel);
    sys.close(unbound);
    assert.equal((await given.service.stats()).ports, 0);
    assert.equal(openFdCount(), before);
    await given.service.serve([first]);
    await assert.rejects(given.service.serve([...rest, first]), conflict);
    const stopped = given.service.stop([first.id]);
    await given.service.serve([first, ...rest]);
    await stopped;
    assert.equal((await given.service.stats()).ports, 3);
    await given.service.stop([first, ...rest].map(({ id }) => id));
    assert.equal(openFdCount(), before);
  });
});

test("the service keeps the contract of all proxies", async () => {
  await withProxiedHost(async (given) => {
    const before = openFdCount();
    await checkPortProxies(
      await ProxyService.start(given.host.path),
      given.publish("8080:80", "8081:80", "5353:53/udp"),
    );
    given.ports.close();
    await until("every descriptor is closed", () => openFdCount() <= before);
  });
});

test("a thousand ports are served at once, and stopped", async () => {
  await withService(async (given) => {
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => socket.pipe(socket));
    const proxies = given.publish(...Array.from({ length: 1000 }, () => "80"));
    await given.service.serve(proxies);
    assert.equal((await given.service.stats()).ports, 1000);
    const port = given.ports.bindings.at(-1)?.hostPort ?? 0;
    const client = connectTcp(given.host, "::1", port);
    client.end("the last one");
    assert.equal((await read(client)).toString(), "the last one");
    await given.service.stop(proxies.map(({ id }) => id));
    assert.equal((await given.service.stats()).ports, 0);
    await closed(server);
  });
});

test("closing ends everything and refuses what comes after", async () => {
  await withService(async (given) => {
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => {
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    const proxies = given.publish("8080:80", "5353:53/udp");
    await given.service.serve(proxies);
    const client = connectTcp(given.host, "::1", 8080);
    client.write("hello");
    await once(client, "data");
    const ended = endOf(client);
    await Promise.all([given.service.close(), given.service.close()]);
    assert.equal(await ended, "ECONNRESET");
    const over = (error: unknown) => isWeftError(error, "CONTROLLER_CLOSED");
    await assert.rejects(given.service.serve(proxies), over);
    await assert.rejects(given.service.stop([]), over);
    await assert.rejects(given.service.stats(), over);
    await closed(server);
  });
});

test("a crash of the worker is told, leaves no descriptor, and the ports stay reserved", async () => {
  await withProxiedHost(async (given) => {
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => {
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    const echo = await serveUdp(given, 53);
    const proxies = given.publish("8080:80", "5353:53/udp");
    const before = openFdCount();
    const worker = new URL("./crashing-proxy-worker.js", import.meta.url);
    const service = await ProxyService.start(given.host.path, { worker });
    const events: PortProxiesEvent[] = [];
    service.events.subscribe((event) => events.push(event));
    await service.serve(proxies);
    const client = connectTcp(given.host, "::1", 8080);
    client.write("hello");
    await once(client, "data");
    const ended = endOf(client);
    const asker = await bindUdp(given.host, "::1");
    await ask(asker, "hello", 5353, "::1");
    const crashed = (error: unknown) => isWeftError(error, "INTERNAL") && /test crash/.test(error.message);
    await assert.rejects(service.stats(), crashed);
    assert.match(await ended, /end|ECONNRESET/);
    await assert.rejects(service.serve(proxies), crashed);
    await assert.rejects(service.stop(proxies.map(({ id }) => id)), crashed);
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ["crashed"],
    );
    await service.close();
    client.destroy();
    await closed(asker);
    await until("every descriptor is closed", () => openFdCount() === before);
    const next = await ProxyService.start(given.host.path);
    await next.serve(proxies);
    const again = connectTcp(given.host, "::1", 8080);
    again.end("again");
    assert.equal((await read(again)).toString(), "again");
    await next.close();
    await Promise.all([closed(server), closed(echo)]);
  });
});

test("a worker that cannot start, or cannot enter the namespace, is told", async () => {
  const before = openFdCount();
  const internal = (error: unknown) => isWeftError(error, "INTERNAL");
  const worker = new URL("./no-such-worker.js", import.meta.url);
  await assert.rejects(ProxyService.start("/proc/self/ns/net", { worker }), internal);
  await assert.rejects(ProxyService.start("/proc/self/ns/none"), internal);
  await assert.rejects(ProxyService.start("/proc/self/ns/uts"), internal);
  assert.equal(openFdCount(), before);
});

test("a service neither keeps its process alive nor keeps it from ending", async () => {
  await withProxiedHost(async (given) => {
    const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const netns = JSON.stringify(given.host.path);
    const start = `
      const { HostPorts, LinuxPortSockets, ProxyService } = await import(${url("../../src/ports/index.js")});
      const sockets = new LinuxPortSockets(${netns});
      const ports = new HostPorts({ sockets, settings: () => { throw new Error("not asked for"); } });
      const spec = { protocol: "tcp", port: 80, hostPorts: { first: 8080, last: 8080 } };
      const [binding] = ports.allocate("owner", [{ spec, hostAddresses: ["::"] }]);
      const service = await ProxyService.start(${netns});
      const target = ${JSON.stringify(parseAddress(sandboxAddress))};
      await service.serve([{ id: "a", protocol: "tcp", fd: ports.keeperOf("owner", binding).fd, target, targetPort: 80 }]);
      await service.stats();`;
    const run = promisify(execFile);
    for (const end of ['console.log("end of program");', 'console.log("end of program"); process.exit(0);']) {
      const program = start + end;
      const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], {
        timeout: 30_000,
      });
      assert.equal(stdout, "end of program\n");
    }
  });
});
