import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { RandomBelow } from "../../src/dns/index.ts";
import { until } from "../e2e/until.ts";
import type { TestNetns } from "../netns-fixture.ts";
import { openFdCount } from "./bound-sockets.ts";
import { framed } from "./clients.ts";
import { TcpFlooder, UdpFlooder } from "./flooder.ts";
import { hostileAnswers, hostileQuery } from "./hostile-messages.ts";
import { mutated } from "./mutation.ts";
import { goodAddress, type ResolverRig, withResolvers } from "./resolver-rig.ts";
import { seeded } from "./samples.ts";
import { faultIn } from "./well-formed.ts";
import { measureMemory } from "./worker-memory.ts";

/**
 * WEFT_FUZZ_SEED and WEFT_FUZZ_MESSAGES run it with others. What each attacker sends follows from the seed;
 * when it comes, and what the upstream server is asked then, is as the machine has it.
 */
const seed = Number(process.env.WEFT_FUZZ_SEED ?? 20_260_403);
const messages = Number(process.env.WEFT_FUZZ_MESSAGES ?? 500_000);

/** What an attacker sends in a round: few enough that the resolver's sockets hold them all. */
const datagramsPerRound = 64;
const bytesPerRound = 40_000;
const framesPerRound = 400;
/** Connections of one attacker that may still wait for answers when it opens another. */
const maxConnections = 48;
/** A sandbox whose programs send nothing that is right. */
class Attacker {
  readonly #netns: TestNetns;
  readonly #random: RandomBelow;
  readonly #udp: UdpFlooder;
  #connections: TcpFlooder[] = [];
  /** What the next connection sends; made while the resolver is at work on the last one. */
  #nextFrames: Buffer;
  framesSent = 0;

  constructor(netns: TestNetns, random: RandomBelow) {
    this.#netns = netns;
    this.#random = random;
    this.#udp = new UdpFlooder(netns);
    this.#nextFrames = this.#frames();
  }

  get datagramsSent(): number {
    return this.#udp.sent;
  }

  get openConnections(): number {
    return this.#connections.length;
  }

  /** Sends a round of messages, and reads what has come. */
  attack(): void {
    if (this.#connections.length < maxConnections) {
      const connection = new TcpFlooder(this.#netns, this.#nextFrames, look);
      connection.pump();
      this.#connections.push(connection);
      this.framesSent += framesPerRound;
      this.#nextFrames = this.#frames();
    }
    for (let i = 0, bytes = 0; i < datagramsPerRound && bytes < bytesPerRound; i++) {
      const message = this.#message();
      this.#udp.send(message);
      bytes += message.length;
    }
    this.pump();
  }

  /** Reads what has come. */
  pump(): void {
    this.#udp.drain(look);
    for (const connection of this.#connections) connection.pump();
    this.#connections = this.#connections.filter(({ isOver }) => !isOver);
  }

  close(): void {
    this.#udp.close();
    for (const connection of this.#connections) connection.close();
  }

  #frames(): Buffer {
    return Buffer.concat(Array.from({ length: framesPerRound }, () => framed(this.#message())));
  }

  #message(): Buffer {
    return this.#random(5) === 0 ? mutated(this.#random) : hostileQuery(this.#random);
  }
}

/** Whatever was asked, the answer can be read. */
function look(answer: Buffer): void {
  const fault = faultIn(answer);
  if (fault !== undefined) throw new Error(`${fault} in ${answer.toString("hex")}`);
}

/** Attacks until `count` messages have been sent, and the sandbox beside is answered all along. */
async function attackWith(attackers: readonly Attacker[], count: number, rig: ResolverRig): Promise<void> {
  const { service, calm } = rig;
  const sent = () => sum(attackers.map(({ datagramsSent, framesSent }) => datagramsSent + framesSent));
  for (const target = sent() + count; sent() < target; ) {
    const before = await service.stats();
    const datagramsBefore = sum(attackers.map(({ datagramsSent }) => datagramsSent));
    for (const attacker of attackers) attacker.attack();
    await calm.askAround(`n${calm.answered % 60}.good.test`, goodAddress);
    const datagrams = sum(attackers.map(({ datagramsSent }) => datagramsSent)) - datagramsBefore + 2;
    await soon(attackers, "the datagrams of a round arrive", async () => {
      const { counters } = await service.stats();
      return counters.udpMessages === before.counters.udpMessages + datagrams;
    });
  }
  await soon(attackers, "every connection is ended", () =>
    attackers.every(({ openConnections }) => openConnections === 0),
  );
  await soon(attackers, "every lookup ends", async () => (await service.stats()).forwarding.lookups === 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** Reads what comes for the attackers until it is so. */
async function soon(attackers: readonly Attacker[], what: string, isSo: () => boolean | Promise<boolean>) {
  await until(what, () => {
    for (const attacker of attackers) attacker.pump();
    return isSo();
  });
}

/** What the service holds when nothing is under way and nothing is kept. */
async function held({ service }: ResolverRig) {
  service.flushCache();
  await service.flush();
  return { ...(await measureMemory()), fds: openFdCount() };
}

/** Attacks with a fifth of the messages, so that what is allocated once is, and then with the rest. */
async function fuzz(rig: ResolverRig, attackers: readonly Attacker[], t: TestContext): Promise<void> {
  await attackWith(attackers, messages * 0.2, rig);
  const warm = await held(rig);
  await attackWith(attackers, messages * 0.8, rig);
  const { counters } = await rig.service.stats();
  const after = await held(rig);
  t.diagnostic(`heap ${warm.heapUsed} to ${after.heapUsed}, RSS ${warm.rss} to ${after.rss} bytes`);
  t.diagnostic(`${counters.udpMessages} by UDP, ${counters.tcpMessages} by TCP`);
  for (const [what, bytes] of [
    ["heapUsed", 4 << 20],
    ["external", 4 << 20],
    ["rss", 96 << 20], // most of it this thread's, which makes the messages
  ] as const) {
    assert.ok(after[what] - warm[what] < bytes, `${what} ${warm[what]} to ${after[what]}`);
  }
  assert.equal(after.fds, warm.fds);
  const asked = rig.calm.answered / 3; // a third of them by TCP
  assert.equal(counters.tcpMessages, sum(attackers.map(({ framesSent }) => framesSent)) + asked);
  assert.ok(counters.udpMessages + counters.tcpMessages > messages);
  assert.ok(Math.min(counters.udpMessages, counters.tcpMessages) > messages / 10);
}

test(`${messages} hostile messages over UDP and TCP: no crash, no hang, no growth`, async (t) => {
  const random = seeded(seed + 2);
  const answering = (query: Buffer) => hostileAnswers(random, query);
  const attack = async (rig: ResolverRig) => {
    rig.service.forward(rig.ids.blue, { servers: [] }); // what it asks for is decided here
    const attackers = [rig.red, rig.blue].map((netns, i) => new Attacker(netns, seeded(seed + i)));
    try {
      await fuzz(rig, attackers, t);
    } finally {
      for (const attacker of attackers) attacker.close();
    }
  };
  await withResolvers(answering, attack).catch((error: unknown) => {
    throw new Error(`with WEFT_FUZZ_SEED=${seed} WEFT_FUZZ_MESSAGES=${messages}`, { cause: error });
  });
});
