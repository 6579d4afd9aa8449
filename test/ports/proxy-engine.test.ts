import assert from "node:assert/strict";
import type { Socket as UdpSocket } from "node:dgram";
import type { Socket } from "node:net";
import { test } from "node:test";
import { parseAddress } from "../../src/core/index.ts";
import { type EngineHost, withEngine } from "./engine-host.ts";
import { bindUdp, closed, connectTcp, serveTcp } from "./netns-sockets.ts";
import { sandboxAddress } from "./proxied-host.ts";

/** A client, and what came of it so far. */
interface Client {
  readonly socket: Socket;
  readonly seen: { text: string; end: string | undefined };
}

function open(given: EngineHost, port: number): Client {
  const socket = connectTcp(given.host, "::1", port);
  const seen: Client["seen"] = { text: "", end: undefined };
  socket.on("data", (chunk: Buffer) => {
    seen.text += chunk;
  });
  socket.on("end", () => {
    seen.end ??= "end";
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    seen.end ??= error.code ?? error.message;
  });
  return { socket, seen };
}

/** Leaves little room in the queues of connections to the target, so that it is known when they are full. */
function keepQueuesShort({ host, sandbox }: EngineHost): void {
  host.exec("sysctl", "-qw", "net.ipv4.tcp_wmem=4096 16384 16384");
  sandbox.exec("sysctl", "-qw", "net.ipv4.tcp_rmem=4096 8192 8192");
}

/** Whether nothing is ready any more. */
function standsStill(given: EngineHost): boolean {
  return Array.from({ length: 20 }, () => given.pass(0)).every((count) => count === 0);
}

test("a target that does not answer is given up in time, and its client told", async () => {
  await withEngine({ connectTimeoutMs: 5000 }, async (given) => {
    given.host.exec("ip", "neighbor", "add", "10.9.0.9", "lladdr", "02:00:00:00:00:09", "dev", "v0");
    const proxies = given.publish("8080:80").map((one) => ({ ...one, target: parseAddress("10.9.0.9") }));
    given.engine.serve(proxies);
    const { socket, seen } = open(given, 8080);
    await given.until("it is accepted", () => given.engine.stats().openConnections === 1);
    given.pass(4000);
    given.pass(999);
    assert.equal(given.engine.stats().openConnections, 1);
    given.pass(1001);
    assert.equal(given.engine.stats().openConnections, 0);
    await given.until("the client is told", () => seen.end === "ECONNRESET");
    assert.equal(given.engine.stats().counters.connectionFailures, 1);
    socket.destroy();
  });
});

test("a target that cannot be reached at all, and a client that leaves early, cost nothing", async () => {
  await withEngine({}, async (given) => {
    const [port] = given.publish("8080:80");
    assert.ok(port !== undefined);
    given.engine.serve([{ ...port, target: parseAddress("2001:db8:f::1") }]); // no route leads there
    const { seen } = open(given, 8080);
    await given.until("the client is told", () => seen.end === "ECONNRESET");
    given.engine.stop([port.id]);
    given.host.exec("ip", "neighbor", "add", "10.9.0.9", "lladdr", "02:00:00:00:00:09", "dev", "v0");
    given.engine.serve([{ ...port, target: parseAddress("10.9.0.9") }]);
    const early = open(given, 8080);
    await given.until("it is accepted", () => given.engine.stats().openConnections === 1);
    early.socket.resetAndDestroy();
    await given.until("it is gone", () => given.engine.stats().openConnections === 0);
    assert.deepEqual(
      [given.engine.stats().counters.connections, given.engine.stats().counters.connectionFailures],
      [2, 1],
    );
  });
});

test("of 1,000 clients at once as many are served as may be, and the rest in their turn", async () => {
  await withEngine({ maxConnections: 150, maxConnectionsPerPort: 100 }, async (given) => {
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => socket.pipe(socket));
    given.engine.serve(given.publish("8080:80", "8081:80"));
    const served: Socket[] = [];
    let ended = 0;
    for (let i = 0; i < 1000; i++) {
      const { socket } = open(given, i % 2 === 0 ? 8080 : 8081);
      socket.once("data", () => served.push(socket));
      socket.once("end", () => ended++);
      socket.write("hello");
    }
    await given.until("the first ones are served", () => served.length === 150);
    // Nobody else is while they stay.
    for (let i = 0; i < 20; i++) given.pass(100);
    assert.equal(served.length, 150);
    let most = 0;
    await given.until("all are served and have ended", () => {
      most = Math.max(most, given.engine.stats().openConnections);
      for (const socket of served.splice(0)) socket.end();
      return ended === 1000;
    });
    assert.equal(most, 150);
    const { counters, openConnections } = given.engine.stats();
    assert.deepEqual([openConnections, counters.connections, counters.connectionFailures], [0, 1000, 0]);
    assert.ok(counters.heldBack > 0);
    await closed(server);
  });
});

test("one port cannot take all connections from the others", async () => {
  await withEngine({ maxConnections: 6, maxConnectionsPerPort: 4 }, async (given) => {
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => socket.pipe(socket));
    given.engine.serve(given.publish("8080:80", "8081:80"));
    const greedy = Array.from({ length: 10 }, () => open(given, 8080));
    for (const { socket } of greedy) socket.write("x");
    await given.until("it has what it may", () => given.engine.stats().openConnections === 4);
    const modest = open(given, 8081);
    modest.socket.write("hello");
    await given.until("the other is served", () => modest.seen.text === "hello");
    assert.equal(greedy.filter(({ seen }) => seen.text === "x").length, 4);
    for (const { socket } of [...greedy, modest]) socket.destroy();
    await given.until("all are gone", () => given.engine.stats().counters.connections === 11);
    await given.until("all are gone", () => given.engine.stats().openConnections === 0);
    await closed(server);
  });
});

test("a reader that stands still does not keep the thread busy when the other end has gone", async () => {
  await withEngine({}, async (given) => {
    keepQueuesShort(given);
    const length = 49_152;
    const accepted: Socket[] = [];
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => accepted.push(socket), {
      pauseOnConnect: true,
    });
    given.engine.serve(given.publish("8080:80"));
    const { socket, seen } = open(given, 8080);
    await given.until("it is through", () => accepted.length === 1);
    const [target] = accepted;
    assert.ok(target !== undefined);
    target.end("that is all from here");
    await given.until("the client read the end", () => seen.end === "end");
    // More than the queues of the target take, and less than the 64 KiB that Linux 6.1 takes in from a client at first.
    socket.end(Buffer.alloc(length));
    // Both ends of it are told then, so that it would be in TIME_WAIT at once.
    await given.until("the client's end has come", () =>
      given.host.exec("ss", "-Htan").includes("TIME-WAIT"),
    );
    await given.until("nothing is told again and again", () => standsStill(given));
    let received = 0;
    target.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    target.resume();
    assert.ok(given.engine.stats().counters.bytesIn < length, "the target took all");
    await given.until("all has come", () => received === length);
    await given.until("it is over", () => given.engine.stats().openConnections === 0);
    await closed(server);
  });
});

test("a client that is reset while the target stands still frees its place", async () => {
  await withEngine({}, async (given) => {
    keepQueuesShort(given);
    const accepted: Socket[] = [];
    const server = await serveTcp(given.sandbox, [sandboxAddress, 80], (socket) => accepted.push(socket), {
      pauseOnConnect: true,
    });
    given.engine.serve(given.publish("8080:80"));
    const { socket } = open(given, 8080);
    socket.write(Buffer.alloc(32 << 20));
    const moved = () => given.engine.stats().counters.bytesIn > 0;
    await given.until("nothing moves any more", () => moved() && standsStill(given));
    socket.resetAndDestroy();
    await given.until("it is over", () => given.engine.stats().openConnections === 0);
    for (const one of accepted) one.destroy();
    await closed(server);
  });
});

/** A UDP server in the sandbox that answers datagrams beginning with a capital. */
async function serveUdp(given: EngineHost): Promise<UdpSocket> {
  const server = await bindUdp(given.sandbox, sandboxAddress, 53);
  server.on("message", (message, from) => {
    if (/^[A-Z]/.test(message.toString())) server.send(message, from.port, from.address);
  });
  return server;
}

/** Sends datagrams and waits until they came to the target. */
async function send(given: EngineHost, from: readonly UdpSocket[], text: string, port = 5353): Promise<void> {
  const expected = given.engine.stats().counters.bytesIn + from.length * text.length;
  for (const socket of from) socket.send(text, port, "::1");
  await given.until("all was passed on", () => given.engine.stats().counters.bytesIn === expected);
}

test("a session ends 30 s after its last datagram, or 180 s once there was an answer", async () => {
  await withEngine({}, async (given) => {
    const server = await serveUdp(given);
    given.engine.serve(given.publish("5353:53/udp"));
    const [quiet, lively, answered] = await Promise.all([1, 2, 3].map(() => bindUdp(given.host, "::1")));
    assert.ok(quiet !== undefined && lively !== undefined && answered !== undefined);
    const sessions = () => given.engine.stats().openSessions;
    await send(given, [quiet, lively], "unanswered");
    await send(given, [answered], "Answered");
    await given.until("the answer is back", () => given.engine.stats().counters.bytesOut === 8);
    given.pass(29_000);
    assert.equal(sessions(), 3);
    await send(given, [lively], "still here");
    given.pass(1000);
    assert.equal(sessions(), 2, "the quiet one is gone");
    given.pass(28_999);
    assert.equal(sessions(), 2);
    given.pass(1000);
    assert.equal(sessions(), 1, "the lively one is gone");
    given.pass(119_000);
    assert.equal(sessions(), 1);
    given.pass(1100);
    assert.equal(sessions(), 0);
    await send(given, [quiet], "anew");
    assert.equal(given.engine.stats().counters.sessions, 4);
    await Promise.all([quiet, lively, answered, server].map(closed));
  });
});

test("when a port has too many sessions, the one not used for longest makes room", async () => {
  await withEngine({ maxSessionsPerPort: 3, maxSessions: 5 }, async (given) => {
    const server = await serveUdp(given);
    given.engine.serve(given.publish("5353:53/udp", "5354:53/udp"));
    const clients = await Promise.all([1, 2, 3, 4, 5, 6].map(() => bindUdp(given.host, "::1")));
    const [one, two, three, four, five, six] = clients;
    assert.ok(one && two && three && four && five && six);
    const stats = () => {
      const { openSessions, counters } = given.engine.stats();
      return [openSessions, counters.sessions, counters.sessionsEvicted];
    };
    for (const client of [one, two, three]) {
      await send(given, [client], "first");
      given.pass(1);
    }
    given.pass(1500);
    await send(given, [one], "used again");
    await send(given, [four], "a fourth");
    assert.deepEqual(stats(), [3, 4, 1]);
    await send(given, [one, three, four], "these are left");
    assert.deepEqual(stats(), [3, 4, 1]);
    await send(given, [five, six], "elsewhere", 5354);
    assert.deepEqual(stats(), [5, 6, 1]);
    await send(given, [one], "elsewhere too", 5354);
    assert.deepEqual(stats(), [5, 7, 2], "all together have too many");
    await Promise.all([...clients, server].map(closed));
  });
});
