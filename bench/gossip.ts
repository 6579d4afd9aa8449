import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseAddress } from "../src/core/index.ts";
import { Keyring, Membership, openSocketTransport, systemDice, systemTimers } from "../src/gossip/index.ts";
import {
  crcBytes,
  decodeAlive,
  decodeCompound,
  type Envelope,
  encodeAlive,
  encodeCompound,
  labelOf,
  openPacket,
  PackReader,
  wrapPacket,
} from "../src/gossip/wire/index.ts";
import type { IdleOrder, IdleUsage } from "./gossip-node.ts";
import { quantile } from "./measure.ts";

/** The name of this part of the bench. */
export const gossipPart = "gossip";

/** What gossip costs. */
export interface GossipFigures {
  /** One packet of 1,400 bytes put together, sealed, opened and all its messages read, µs of processor time. */
  readonly packet: {
    readonly aes128: number;
    readonly aes256: number;
    readonly messages: number;
    readonly bytes: number;
    /** Writing one of the messages; done once, although it is sent many times. */
    readonly message: number;
  };
  /** One node of an idle cluster of this size, in a process of its own. */
  readonly idle: {
    readonly nodes: number;
    readonly corePercent: number;
    readonly sentPerSecond: number;
    readonly receivedPerSecond: number;
  };
}

/** Measures both. Takes about a minute. */
export async function gossipBench(): Promise<GossipFigures> {
  const [aes128, aes256] = [16, 32].map(packetTime);
  return {
    packet: {
      aes128: aes128 ?? 0,
      aes256: aes256 ?? 0,
      messages: messages.length,
      bytes: makePacket(envelope(16)).length,
      message: timeOf(() => messages.map(encodeAlive)) / messages.length,
    },
    idle: await idleNode(),
  };
}

/** The figures as lines. */
export function gossipTable({ packet, idle }: GossipFigures): readonly string[] {
  const kB = (bytes: number) => `${(bytes / 1000).toFixed(2)} kB/s`;
  return [
    `a gossip packet of ${packet.bytes} bytes and ${packet.messages} messages, put together, sealed, opened and read:`,
    `  AES-128 ${packet.aes128.toFixed(1)} µs, AES-256 ${packet.aes256.toFixed(1)} µs; writing one message ${packet.message.toFixed(2)} µs`,
    `an idle node among ${idle.nodes}: ${idle.corePercent.toFixed(2)} % of a core, ${kB(idle.sentPerSecond)} sent, ${kB(idle.receivedPerSecond)} received`,
    "",
  ];
}

const alive = (i: number) => ({
  incarnation: i,
  node: `node-${i}`,
  address: Buffer.of(10, 0, 0, i),
  port: 7946,
  meta: Buffer.from("meta"),
  versions: Uint8Array.of(1, 5, 2, 0, 0, 0),
});
/** As many as make about 1,400 bytes. */
const messages = Array.from({ length: 20 }, (_, i) => alive(i));
/** As they wait to be passed on. */
const written = messages.map(encodeAlive);
const rounds = 15;
const packetsPerRound = 2000;

function envelope(keyBytes: number): Envelope {
  return {
    label: labelOf(""),
    skipInboundLabelCheck: false,
    keyring: new Keyring([Buffer.alloc(keyBytes, 1)]),
    verifyIncoming: true,
    verifyOutgoing: true,
    compress: false,
    sealVersion: 1,
  };
}

function makePacket(how: Envelope): Buffer {
  return wrapPacket(how, encodeCompound(written, crcBytes), true);
}

function packetTime(keyBytes: number): number {
  const how = envelope(keyBytes);
  return timeOf(() => readPacket(how, makePacket(how)));
}

/** The median of some rounds, µs of processor time, which other programs hardly prolong. */
function timeOf(work: () => unknown): number {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage();
    for (let i = 0; i < packetsPerRound; i++) work();
    const { user, system } = process.cpuUsage(start);
    if (round >= 3) samples.push((user + system) / packetsPerRound);
  }
  return quantile(samples, 0.5);
}

function readPacket(how: Envelope, packet: Buffer): void {
  const opened = openPacket(how, packet);
  if (opened.refused !== undefined) throw new Error(`refused: ${opened.refused}`);
  const input = new PackReader(opened.message, 1);
  let read = 0;
  decodeCompound(input.bytes, 1, input.end, (start, end) => {
    input.at = start + 1;
    input.end = end;
    read += decodeAlive(input).incarnation;
  });
  if (read !== messages.reduce((sum, { incarnation }) => sum + incarnation, 0)) throw new Error("misread");
}

const nodes = 100;
const key = Buffer.alloc(32, 7);
const settleMs = 20_000;
const measureMs = 30_000;

/** Ninety-nine nodes here, and one in a process of its own, on loopback, encrypted. */
async function idleNode(): Promise<GossipFigures["idle"]> {
  const address = parseAddress("127.0.0.1");
  const log = { warn: () => {}, info: () => {} };
  const here: Membership[] = [];
  const child = fork(fileURLToPath(new URL("./gossip-node.js", import.meta.url)));
  try {
    for (let i = 1; i < nodes; i++) {
      const transport = await openSocketTransport({ bind: { address, port: 0 } });
      const environment = { timers: systemTimers, dice: systemDice, log };
      const one = new Membership({ name: `n${i}`, transport, environment, keyring: new Keyring([key]) });
      one.start();
      const [first] = here;
      if (first !== undefined) await one.join([first.place]);
      here.push(one);
    }
    const [first] = here;
    if (first === undefined) throw new Error("no node");
    const order: IdleOrder = { join: first.place, key: key.toString("base64"), nodes, settleMs, measureMs };
    child.send(order);
    const [usage] = (await once(child, "message")) as [IdleUsage]; // gossip-node.ts sends one
    return { nodes, ...usage };
  } finally {
    child.kill();
    await Promise.all(here.map((one) => one.close()));
  }
}
