import assert from "node:assert/strict";
import { openSync } from "node:fs";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isWeftError } from "../../src/core/index.ts";
import { newCounters } from "../../src/dns/counters.ts";
import type { Respond } from "../../src/dns/responder.ts";
import { serveDns } from "../../src/dns/server.ts";
import { defaultTcpLimits, type TcpLimits } from "../../src/dns/tcp-connection.ts";
import { boundPair, boundTcp, boundUdp, openFdCount, openSockets } from "./bound-sockets.ts";
import { framed, TcpClient, UdpClient } from "./clients.ts";
import { ManualTimers } from "./manual-timers.ts";

/** Answers a message with its bytes in reverse order; an empty one with nothing. */
const reverse: Respond = (message) => (message.length === 0 ? undefined : Buffer.from(message).reverse());

interface Rig {
  readonly udpPort: number;
  readonly tcpPort: number;
  readonly counters: ReturnType<typeof newCounters>;
  readonly timers: ManualTimers;
}

/** Runs `use` against a server, and checks that nothing of it is left. */
async function serving(respond: Respond, limits: Partial<TcpLimits>, use: (rig: Rig) => Promise<void>) {
  const before = openSockets();
  const { fds, udpPort, tcpPort } = boundPair();
  const counters = newCounters();
  const timers = new ManualTimers();
  const all = { ...defaultTcpLimits, ...limits };
  const server = await serveDns({ ...fds, respond, counters, limits: all, startTimer: timers.start });
  try {
    await use({ udpPort, tcpPort, counters, timers });
  } finally {
    await server.close();
    await server.close();
  }
  assert.deepEqual(openSockets(), before);
  assert.equal(timers.running, 0);
}

test("UDP messages are answered to whoever sent them", async () => {
  await serving(reverse, {}, async ({ udpPort }) => {
    const [a, b] = [new UdpClient(udpPort), new UdpClient(udpPort)];
    const replies = await Promise.all([a.ask(Buffer.from("abc")), b.ask(Buffer.from("xyz"))]);
    assert.deepEqual(replies.map(String), ["cba", "zyx"]);
    await Promise.all([a.close(), b.close()]);
  });
});

test("a late answer reaches its client over either transport, and none after the end harms", async () => {
  let release: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const late: Respond = async (message) => {
    await gate;
    return message;
  };
  const { fds, udpPort, tcpPort } = boundPair();
  const server = await serveDns({ ...fds, respond: late, counters: newCounters() });
  const udp = new UdpClient(udpPort);
  const tcp = await TcpClient.open(tcpPort);
  const reply = udp.ask(Buffer.from("abc"));
  tcp.socket.write(framed(Buffer.from("def")));
  release();
  assert.equal(String(await reply), "abc");
  assert.deepEqual((await tcp.take(1)).map(String), ["def"]);
  await udp.send(Buffer.from("unheard"));
  await server.close();
  await Promise.all([udp.close(), tcp.closed]);
});

test("TCP takes messages byte by byte and many at once", async () => {
  await serving(reverse, {}, async ({ tcpPort, counters }) => {
    const client = await TcpClient.open(tcpPort);
    client.socket.setNoDelay(true);
    for (const byte of framed(Buffer.from("slow"))) {
      await new Promise<void>((resolve) => client.socket.write(Buffer.of(byte), () => resolve()));
    }
    assert.deepEqual(
      (await client.take(1)).map((m) => Buffer.from(m).toString()),
      ["wols"],
    );
    const many = Array.from({ length: 5000 }, (_, i) => Buffer.from(`m${i}`));
    client.socket.write(Buffer.concat(many.map(framed)));
    const replies = await client.take(many.length);
    assert.deepEqual(
      replies.map((reply) => Buffer.from(reply).reverse().toString()),
      many.map(String),
    );
    assert.equal(counters.connections, 1);
    await client.close();
  });
});

test("a client that ends its side still gets all answers, then the connection ends", async () => {
  const slow: Respond = (message) => new Promise((resolve) => setImmediate(() => resolve(message)));
  for (const respond of [reverse, slow]) {
    await serving(respond, {}, async ({ tcpPort }) => {
      const client = await TcpClient.open(tcpPort, true);
      client.socket.end(Buffer.concat([framed(Buffer.from("aa")), framed(Buffer.from("bb")), Buffer.of(0)]));
      assert.equal((await client.take(2)).length, 2);
      await client.closed;
    });
  }
});

test("a length beyond the limit ends the connection", async () => {
  await serving(reverse, { maxQueryBytes: 100 }, async ({ tcpPort, counters }) => {
    const client = await TcpClient.open(tcpPort);
    client.socket.write(Buffer.concat([framed(Buffer.from("ok")), Buffer.of(0, 101)]));
    await client.closed;
    assert.equal(counters.connectionsCut, 1);
  });
});

test("a connection without a whole query for the idle time ends, trickle or not", async () => {
  await serving(reverse, { idleMs: 1000 }, async ({ tcpPort, udpPort, timers, counters }) => {
    const [client, probe] = [await TcpClient.open(tcpPort), new UdpClient(udpPort)];
    client.socket.write(framed(Buffer.from("one")));
    await client.take(1);
    timers.advance(999);
    client.socket.write(framed(Buffer.from("two")));
    await client.take(1); // which wound the timer up anew
    timers.advance(999);
    client.socket.write(Buffer.of(0, 3, 1, 2)); // no whole query
    await probe.ask(Buffer.from("probe"));
    assert.equal(counters.connectionsCut, 0);
    timers.advance(1);
    await Promise.all([client.closed, probe.close()]);
    assert.equal(counters.connectionsCut, 1);
  });
});

test("for a connection beyond the limit the one makes way that has asked nothing for longest", async () => {
  await serving(reverse, { maxConnections: 3 }, async ({ tcpPort, counters }) => {
    const ask = async (client: TcpClient) => {
      client.socket.write(framed(Buffer.from("ab")));
      assert.equal((await client.take(1)).length, 1);
    };
    const oldest = await TcpClient.open(tcpPort);
    const silent = await TcpClient.open(tcpPort);
    const third = await TcpClient.open(tcpPort);
    await ask(oldest);
    const fourth = await TcpClient.open(tcpPort);
    await silent.closed;
    await ask(third);
    const fifth = await TcpClient.open(tcpPort);
    await oldest.closed;
    for (const client of [fifth, third, fourth]) await ask(client);
    const { connections, connectionsCut, connectionsRefused } = counters;
    assert.deepEqual([connections, connectionsCut, connectionsRefused], [5, 2, 0]);
    await Promise.all([third, fourth, fifth].map((client) => client.close()));
  });
});

test("a connection that waits for an answer makes way only when all do", async () => {
  const waiting: (() => void)[] = [];
  const respond: Respond = (message) => new Promise((resolve) => waiting.push(() => resolve(message)));
  await serving(respond, { maxConnections: 2 }, async ({ tcpPort, counters }) => {
    const clients: TcpClient[] = [];
    const openAndAsk = async () => {
      const client = await TcpClient.open(tcpPort);
      clients.push(client);
      client.socket.write(framed(Buffer.from("ab")));
      while (waiting.length < clients.length) await nextTurn();
      return client;
    };
    const first = await openAndAsk();
    const idle = await TcpClient.open(tcpPort);
    const second = await openAndAsk();
    await idle.closed;
    assert.equal(counters.connectionsCut, 1);
    const third = await openAndAsk();
    await first.closed;
    for (const release of waiting) release();
    assert.deepEqual([(await second.take(1)).length, (await third.take(1)).length], [1, 1]);
    await Promise.all([second.close(), third.close()]);
  });
});

test("where all sandboxes together have too many connections, a new one costs one of its own sandbox's", async () => {
  let left = 1;
  const places = {
    take: () => left > 0 && left-- > 0,
    give: () => void left++,
  };
  const { fds, tcpPort } = boundPair();
  const other = boundPair();
  const counters = newCounters();
  const server = await serveDns({ ...fds, respond: reverse, counters, places });
  const second = await serveDns({ ...other.fds, respond: reverse, counters, places });
  const first = await TcpClient.open(tcpPort);
  const next = await TcpClient.open(tcpPort);
  await first.closed;
  const refused = await TcpClient.open(other.tcpPort);
  await refused.closed;
  const { connections, connectionsCut, connectionsRefused } = counters;
  assert.deepEqual([connections, connectionsCut, connectionsRefused], [2, 1, 1]);
  await next.close();
  while (left === 0) await nextTurn();
  const after = await TcpClient.open(other.tcpPort);
  after.socket.write(framed(Buffer.from("ab")));
  assert.equal((await after.take(1)).length, 1);
  await Promise.all([after.close(), server.close(), second.close()]);
  assert.equal(left, 1);
});

test("answers that nobody reads stop the reading of queries", async () => {
  const big = Buffer.alloc(60_000);
  let asked = 0;
  const amplify: Respond = (message, transport) => {
    if (transport === "udp") return message;
    asked++;
    return big;
  };
  await serving(amplify, {}, async ({ tcpPort, udpPort, timers, counters }) => {
    const [client, probe] = [await TcpClient.open(tcpPort), new UdpClient(udpPort)];
    client.socket.pause();
    client.socket.write(Buffer.concat(Array.from({ length: 3000 }, () => framed(Buffer.of(1)))));
    for (let before = -1; asked !== before; await probe.ask(Buffer.of(2))) before = asked;
    // The kernel's buffers hold a few MB of answers; 3000 of them would be 180 MB.
    assert.ok(asked > 0 && asked < 500, `${asked} queries were answered`);
    timers.advance(defaultTcpLimits.idleMs);
    client.socket.resume();
    await Promise.all([client.closed, probe.close()]);
    assert.equal(counters.connectionsCut, 1);
  });
});

test("a reader that is only slow gets everything", async () => {
  const big = Buffer.alloc(60_000);
  await serving(
    () => big,
    {},
    async ({ tcpPort }) => {
      const client = await TcpClient.open(tcpPort, true);
      client.socket.pause();
      client.socket.end(Buffer.concat(Array.from({ length: 300 }, () => framed(Buffer.of(1)))));
      setImmediate(() => client.socket.resume());
      assert.equal((await client.take(300)).length, 300);
      await client.closed;
    },
  );
});

test("no more queries of a connection than allowed wait for others", async () => {
  const waiting: (() => void)[] = [];
  const respond: Respond = (message) =>
    message[0] === 0 ? message : new Promise((resolve) => waiting.push(() => resolve(message)));
  await serving(respond, { maxWaiting: 4 }, async ({ tcpPort, udpPort }) => {
    const client = await TcpClient.open(tcpPort);
    client.socket.write(Buffer.concat(Array.from({ length: 10 }, () => framed(Buffer.of(1)))));
    const udp = new UdpClient(udpPort);
    while (waiting.length === 0) await udp.ask(Buffer.of(0));
    assert.equal(waiting.length, 4);
    let released = 0;
    while (released < 10) {
      for (const release of waiting.splice(0)) {
        release();
        released++;
      }
      await udp.ask(Buffer.of(0));
      assert.ok(waiting.length <= 4);
    }
    assert.equal((await client.take(10)).length, 10);
    await Promise.all([client.close(), udp.close()]);
  });
});

test("queries that come in one piece are answered a turn's share at a time, and others between", async () => {
  const order: string[] = [];
  const respond: Respond = (message) => {
    order.push(Buffer.from(message).toString());
    return message.length === 0 ? undefined : message;
  };
  const { fds, tcpPort } = boundPair();
  const other = boundPair();
  const [flooded, calm] = await Promise.all(
    [fds, other.fds].map((pair) => serveDns({ ...pair, respond, counters: newCounters() })),
  );
  assert.ok(flooded && calm);
  const clients = await Promise.all([1, 2, 3].map(() => TcpClient.open(tcpPort)));
  const asker = await TcpClient.open(other.tcpPort);
  for (const client of [...clients, asker]) {
    client.socket.write(framed(Buffer.from("hello"))); // so that all are known to be there
    await client.take(1);
  }
  order.length = 0;
  const many = (message: string) =>
    Buffer.concat(Array.from({ length: 2000 }, () => framed(Buffer.from(message))));
  // Lengths of zero are messages too, of which 32,768 fit into what Node reads at once.
  for (const [i, client] of clients.entries()) client.socket.write(Buffer.concat([many(""), many(`${i}`)]));
  asker.socket.write(framed(Buffer.from("calm")));
  await asker.take(1);
  assert.ok(order.indexOf("calm") <= 2 * 128, `${order.indexOf("calm")} queries of the flood went before`);
  await Promise.all(clients.map((client) => client.take(2000)));
  assert.equal(order.length, 3 * 4000 + 1);
  // Each of the three gets its turns: none is through before the others are well on their way.
  const firstDone = Math.min(...[0, 1, 2].map((i) => order.lastIndexOf(`${i}`)));
  for (const i of [0, 1, 2]) {
    const sofar = order.slice(0, firstDone).filter((message) => message === `${i}`).length;
    assert.ok(sofar > 1000, `client ${i} had ${sofar} of 2000 answers when another had all`);
  }
  await Promise.all([...clients, asker].map((client) => client.close()));
  await Promise.all([flooded.close(), calm.close()]);
});

test("a reset or half a message does no harm", async () => {
  await serving(reverse, {}, async ({ tcpPort }) => {
    const rude = await TcpClient.open(tcpPort);
    rude.socket.write(Buffer.concat([framed(Buffer.from("aa")), Buffer.of(0, 9, 1)]));
    rude.socket.resetAndDestroy();
    await rude.closed;
    const polite = await TcpClient.open(tcpPort);
    polite.socket.write(framed(Buffer.from("ab")));
    assert.equal((await polite.take(1)).length, 1);
    await polite.close();
  });
});

test("descriptors that cannot be served are closed, both of them", async () => {
  const file = () => openSync("/dev/null", "r");
  const table: readonly (readonly [make: () => readonly [udp: number, tcp: number], why: string])[] = [
    [() => [file(), boundTcp().fd], "a file for UDP"],
    [() => [boundUdp().fd, file()], "a file for TCP"],
    [() => [file(), file()], "files"],
    [() => [boundTcp().fd, boundTcp().fd], "a TCP socket for UDP"],
    [() => [boundUdp().fd, boundUdp().fd], "a UDP socket for TCP"],
    [() => [99_999, boundTcp().fd], "UDP not open"],
    [() => [boundUdp().fd, 99_999], "TCP not open"],
  ];
  for (const [make, why] of table) {
    const before = openFdCount();
    const [udpFd, tcpFd] = make();
    await assert.rejects(
      serveDns({ udpFd, tcpFd, respond: reverse, counters: newCounters() }),
      (error) => isWeftError(error, "KERNEL"),
      why,
    );
    assert.equal(openFdCount(), before, why);
  }
});
