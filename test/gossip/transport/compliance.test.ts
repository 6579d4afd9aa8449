// What every transport does: in memory, on sockets of the process, and on sockets of another network namespace.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { isWeftError, parseAddress } from "../../../src/core/index.ts";
import {
  MemoryNetwork,
  openSocketTransport,
  type Place,
  type Stream,
  seededDice,
  socketsWithin,
  type Transport,
  VirtualTimers,
} from "../../../src/gossip/index.ts";
import { withNetns } from "../../netns-fixture.ts";

/** Two transports that reach each other, and how to let time pass for them. */
interface Pair {
  readonly a: Transport;
  readonly b: Transport;
  readonly nowhere: Place;
  readonly pass: () => Promise<void>;
}

const loopback = parseAddress("127.0.0.1");

async function inMemory(work: (pair: Pair) => Promise<void>): Promise<void> {
  const timers = new VirtualTimers();
  const network = new MemoryNetwork(timers, seededDice(1));
  const at = (last: number): Place => ({ address: parseAddress(`10.0.0.${last}`), port: 7946 });
  const pass = async () => {
    timers.advance(10);
    await new Promise(setImmediate);
  };
  await work({ a: network.transport(at(1)), b: network.transport(at(2)), nowhere: at(3), pass });
}

async function inNamespace(work: (pair: Pair) => Promise<void>): Promise<void> {
  await withNetns(["host"], async ({ host }) => {
    host.exec("ip", "link", "set", "lo", "up");
    const sockets = socketsWithin((inside) => host.run(inside));
    const bind = { address: loopback, port: 0 };
    const a = await openSocketTransport({ bind, sockets });
    const b = await openSocketTransport({ bind, sockets });
    assert.match(host.exec("ss", "-lntu"), new RegExp(`:${a.place.port}\\b`)); // they are there and nowhere else
    await work({ a, b, nowhere: { address: loopback, port: 1 }, pass: () => delay(5) });
  });
}

async function onSockets(family: 4 | 6, work: (pair: Pair) => Promise<void>): Promise<void> {
  const address = family === 4 ? loopback : parseAddress("::1");
  const a = await openSocketTransport({ bind: { address, port: 0 } });
  const b = await openSocketTransport({ bind: { address, port: 0 } });
  await work({ a, b, nowhere: { address, port: 1 }, pass: () => delay(5) });
}

const transports = [
  ["in memory", inMemory],
  ["on IPv4 sockets", (work: (pair: Pair) => Promise<void>) => onSockets(4, work)],
  ["on IPv6 sockets", (work: (pair: Pair) => Promise<void>) => onSockets(6, work)],
  ["in another namespace", inNamespace],
] as const;

async function until(pass: () => Promise<void>, what: string, isSo: () => boolean): Promise<void> {
  for (let i = 0; !isSo(); i++) {
    if (i > 2000) throw new Error(`not so: ${what}`);
    await pass();
  }
}

for (const [name, withPair] of transports) {
  test(`${name}: packets arrive whole, with where they came from, and none after the end`, () =>
    withPair(async ({ a, b, pass }) => {
      const got: string[] = [];
      b.start({
        packet: (packet, from) => got.push(`${packet} ${from.address} ${from.port === a.place.port}`),
        stream: () => {},
      });
      a.start({ packet: () => {}, stream: () => {} });
      a.send(b.place, Buffer.from("hello"));
      await until(pass, "it arrives", () => got.length > 0);
      assert.deepEqual(got, [`hello ${a.place.address} true`]);
      await b.close();
      a.send(b.place, Buffer.from("nobody"));
      await a.close();
      a.send(b.place, Buffer.from("closed"));
      assert.equal(got.length, 1);
    }));

  test(`${name}: a stream carries bytes both ways, ends, and tells it`, () =>
    withPair(async ({ a, b, pass }) => {
      const heard = { near: "", far: "", nearClosed: false, farClosed: false };
      b.start({
        packet: () => {},
        stream: (stream) =>
          stream.listen({
            data: (chunk) => {
              heard.far += Buffer.from(chunk).toString();
              if (heard.far.length < 200_000) return;
              stream.write(Buffer.from("answer"));
              stream.end();
            },
            closed: () => {
              heard.farClosed = true;
            },
          }),
      });
      a.start({ packet: () => {}, stream: () => {} });
      a.dial(b.place, {
        failed: (why) => assert.fail(why),
        opened: (stream) => {
          stream.listen({
            data: (chunk) => {
              heard.near += Buffer.from(chunk).toString();
            },
            closed: () => {
              heard.nearClosed = true;
            },
          });
          stream.write(Buffer.alloc(100_000, "x"));
          stream.write(Buffer.alloc(100_000, "y"));
        },
      });
      await until(pass, "the answer is there and the stream closed", () => heard.nearClosed);
      assert.equal(heard.far, "x".repeat(100_000) + "y".repeat(100_000));
      assert.equal(heard.near, "answer");
      await Promise.all([a.close(), b.close()]);
    }));

  test(`${name}: whoever is not there is told as such, once, and never before dial has returned`, () =>
    withPair(async ({ a, b, nowhere, pass }) => {
      const failures: string[] = [];
      let returned = false;
      const outcome = {
        opened: () => assert.fail("nobody is there"),
        failed: (why: string) => failures.push(`${returned} ${why}`),
      };
      a.dial(nowhere, outcome);
      returned = true;
      await until(pass, "it fails", () => failures.length > 0);
      a.dial(nowhere, outcome)();
      for (let i = 0; i < 5; i++) await pass();
      assert.equal(failures.length, 1);
      assert.match(failures[0] ?? "", /^true .*refused/i);
      await Promise.all([a.close(), b.close()]);
    }));

  test(`${name}: closing gives up open streams, and may be done twice`, () =>
    withPair(async ({ a, b, pass }) => {
      const streams: Stream[] = [];
      let closed = 0;
      const events = { data: () => {}, closed: () => closed++ };
      b.start({
        packet: () => {},
        stream: (stream) => {
          stream.listen(events);
          streams.push(stream);
        },
      });
      a.dial(b.place, { failed: (why) => assert.fail(why), opened: (stream) => stream.listen(events) });
      await until(pass, "it is accepted", () => streams.length > 0);
      await b.close();
      await b.close();
      await until(pass, "the other end hears of it", () => closed === 1);
      await a.close();
    }));
}

test("closing gives up what still connects", async () => {
  await withNetns(["host"], async ({ host }) => {
    host.exec("ip", "link", "set", "lo", "up");
    host.exec("ip", "link", "add", "hole", "type", "veth", "peer", "name", "end");
    host.exec("ip", "link", "set", "end", "up"); // where nobody answers
    host.exec("ip", "address", "add", "192.0.2.1/24", "dev", "hole");
    host.exec("ip", "link", "set", "hole", "up");
    const sockets = socketsWithin((inside) => host.run(inside));
    const transport = await openSocketTransport({ bind: { address: loopback, port: 0 }, sockets });
    const outcome = {
      opened: () => assert.fail("nobody is there"),
      failed: () => assert.fail("it was given up"),
    };
    transport.dial({ address: parseAddress("192.0.2.9"), port: 7946 }, outcome);
    await delay(20);
    await transport.close(); // withNetns finds a socket that is left
  });
});

test("an address that cannot be bound, or a port that is taken, is refused, and nothing stays open", async () => {
  const refused = (error: unknown) => isWeftError(error, "GOSSIP_UNREACHABLE");
  const first = await openSocketTransport({ bind: { address: loopback, port: 0 } });
  await assert.rejects(openSocketTransport({ bind: first.place }), refused);
  await first.close();
  const again = await openSocketTransport({ bind: first.place });
  await again.close();
  const foreign = { address: parseAddress("192.0.2.1"), port: 0 };
  await assert.rejects(openSocketTransport({ bind: foreign }), refused);
});

test("in memory, the share of packets that is asked for is lost, doubled and late, the same for one seed", () => {
  const run = (seed: number) => {
    const timers = new VirtualTimers();
    const network = new MemoryNetwork(timers, seededDice(seed), {
      loss: 0.25,
      duplication: 0.5,
      delay: [1, 50],
    });
    const [a, b] = [1, 2].map((last) =>
      network.transport({ address: parseAddress(`10.0.0.${last}`), port: 1 }),
    );
    const got: number[] = [];
    b?.start({ packet: (packet) => got.push(packet.readUInt32BE()), stream: () => {} });
    for (let i = 0; i < 10_000; i++) {
      const packet = Buffer.alloc(4);
      packet.writeUInt32BE(i);
      a?.send(b?.place ?? assert.fail(), packet);
      timers.advance(1);
    }
    timers.advance(100);
    return got;
  };
  const got = run(3);
  assert.deepEqual(run(3), got);
  assert.ok(Math.abs(new Set(got).size - 7500) < 200);
  assert.ok(Math.abs(got.length - 11_250) < 300);
  assert.ok(got.some((value, i) => value < (got[i - 1] ?? 0)));
});
