// What a stranger, or a member that has gone mad, can send. Seeded; half of the packets are sealed with the cluster's key.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../../src/core/index.ts";
import { type Dice, Keyring, type Place, type StreamEvents, seededDice } from "../../../src/gossip/index.ts";
import {
  bodyOf,
  compress,
  type Envelope,
  encodeAccusation,
  encodeAck,
  encodeAlive,
  encodeCompound,
  encodeIndirectPing,
  encodeNack,
  encodePing,
  encodePushPull,
  encodeStreamUserMessage,
  labelOf,
  noSource,
  wrapPacket,
  wrapStreamMessage,
} from "../../../src/gossip/wire/index.ts";
import { TestCluster, type TestNode } from "../cluster-fixture.ts";

const key = Buffer.alloc(32, 5);
const maxMembers = 300;
const stranger: Place = { address: parseAddress("10.9.9.9"), port: 7946 };
const versions = Uint8Array.of(1, 5, 2, 0, 0, 0);
const source = { address: Buffer.of(10, 9, 9, 9), port: 7946, node: "n2" };
const envelope: Envelope = {
  label: labelOf(""),
  skipInboundLabelCheck: false,
  keyring: new Keyring([key]),
  verifyIncoming: true,
  verifyOutgoing: true,
  compress: false,
  sealVersion: 1,
};
const plainEnvelope: Envelope = { ...envelope, keyring: undefined };
const foreignEnvelope: Envelope = { ...envelope, keyring: new Keyring([Buffer.alloc(32, 6)]) };

const alive = (node: string, incarnation: number, last = 3) =>
  encodeAlive({
    incarnation,
    node,
    address: Buffer.of(10, 0, 0, last),
    port: 7946,
    meta: Buffer.alloc(40, 1),
    versions,
  });

/** One of each kind, true to the protocol. */
const honest: readonly Buffer[] = [
  encodePing({ seqNo: 7, node: "n1", source }),
  encodePing({ seqNo: 8, node: "", source: noSource }),
  encodeIndirectPing({
    seqNo: 9,
    target: Buffer.of(10, 0, 0, 2),
    port: 7946,
    node: "n2",
    nack: true,
    source,
  }),
  encodeAck({ seqNo: 1, payload: Buffer.from("payload") }),
  encodeNack(1),
  encodeAccusation("suspect", { incarnation: 1, node: "n2", from: "n3" }),
  encodeAccusation("dead", { incarnation: 1, node: "n3", from: "n3" }),
  encodeAccusation("suspect", { incarnation: 1, node: "n1", from: "n3" }),
  alive("n2", 2, 2),
  alive("stranger", 1),
  Buffer.from("\x08a user's message"),
  encodeCompound([alive("n4", 1), encodeAck({ seqNo: 3, payload: Buffer.alloc(0) })]),
  compress(encodeCompound([alive("n5", 1), alive("n6", 1)])),
];

/** The same for streams. */
const honestStreams: readonly Buffer[] = [
  encodePushPull({
    join: true,
    userState: Buffer.from("state"),
    nodes: [1, 2, 3].map((n) => ({
      node: `m${n}`,
      incarnation: 1,
      address: Buffer.of(10, 0, 1, n),
      port: 7946,
      meta: Buffer.alloc(0),
      versions,
      state: n,
    })),
  }),
  encodePing({ seqNo: 4, node: "n1", source }),
  encodeStreamUserMessage(Buffer.from("long".repeat(100))),
];

/** A message with up to eight bytes changed, and now and then cut, lengthened, spliced or put into another. */
function mutated(message: Buffer, dice: Dice): Buffer {
  let bytes: Buffer = Buffer.from(message);
  for (let changes = dice.below(9); changes > 0 && bytes.length > 0; changes--) {
    const at = dice.below(bytes.length);
    bytes[at] = dice.below(3) === 0 ? dice.below(256) : (bytes[at] ?? 0) ^ (1 << dice.below(8));
  }
  const shape = dice.below(10);
  if (shape === 0) bytes = bytes.subarray(0, dice.below(bytes.length + 1));
  if (shape === 1) bytes = Buffer.concat([bytes, Buffer.alloc(dice.below(300), dice.below(256))]);
  if (shape === 2) bytes = Buffer.concat([bytes, one(honest, dice).subarray(dice.below(20))]);
  if (shape === 3 && bytes.length < 60_000) bytes = encodeCompound([bytes, one(honest, dice)]);
  if (shape === 4) bytes = compress(bytes);
  return bytes;
}

function one(list: readonly Buffer[], dice: Dice): Buffer {
  return list[dice.below(list.length)] ?? Buffer.alloc(0);
}

interface Scene {
  readonly cluster: TestCluster;
  readonly target: TestNode;
  readonly dice: Dice;
  /** Brings a packet to the target from a stranger. */
  readonly packet: (packet: Buffer) => void;
  /** Says something over a stream to the target, in pieces. */
  readonly stream: (bytes: Buffer) => void;
}

async function withScene(seed: number, work: (scene: Scene) => Promise<void> | void): Promise<void> {
  const cluster = new TestCluster(seed, { delay: [1, 1] });
  const dice = seededDice(seed);
  const keyring = new Keyring([key]);
  const attacker = cluster.network.transport(stranger);
  const silent: StreamEvents = { data: () => {}, closed: () => {} };
  attacker.start({ packet: () => {}, stream: (stream) => stream.listen(silent) });
  try {
    const [target] = await cluster.startMany(3, { keyring, maxMembers });
    if (target === undefined) throw new Error("no node");
    const { place } = target;
    const packet = (bytes: Buffer) => attacker.send(place, bytes);
    const stream = (bytes: Buffer) => {
      attacker.dial(place, {
        failed: () => {},
        opened: (opened) => {
          opened.listen(silent);
          const cut = dice.below(bytes.length + 1);
          opened.write(bytes.subarray(0, cut));
          opened.write(bytes.subarray(cut));
        },
      });
    };
    await work({ cluster, target, dice, packet, stream });
  } finally {
    cluster.close();
    await attacker.close();
  }
}

const view = ({ membership }: TestNode) =>
  membership
    .everyone()
    .map(({ name, state, incarnation, address }) => `${name} ${state} ${incarnation} ${address}`);

/** It still does its work, and holds no more than it may. */
function assertWell({ target, cluster }: Scene): void {
  const { membership } = target;
  assert.ok(membership.everyone().length <= maxMembers);
  assert.ok(membership.queueLength <= maxMembers);
  const before = membership.counters.packetsSent;
  cluster.timers.advance(5000);
  assert.ok(membership.counters.packetsSent > before, "it still probes");
}

const refusedBy = ({ membership }: TestNode) =>
  Object.values(membership.counters.refused).reduce((a, b) => a + b, 0);

test("100,000 mutated packets without the key, plain and sealed, are counted and change nothing", () =>
  withScene(1, (scene) => {
    const { cluster, target, dice, packet } = scene;
    const before = view(target);
    const count = 100_000;
    for (let i = 0; i < count; i++) {
      const body = bodyOf(mutated(one(honest, dice), dice));
      const plain = wrapPacket(plainEnvelope, body, dice.below(2) === 0);
      const sealed = wrapPacket(
        dice.below(2) === 0 ? envelope : foreignEnvelope,
        bodyOf(one(honest, dice)),
        false,
      );
      // A sealed packet with one bit changed is as foreign as one of another key.
      const at = 1 + dice.below(sealed.length - 1); // the first byte is not sealed; see keyring.test.ts
      sealed[at] = (sealed[at] ?? 0) ^ (1 << dice.below(8));
      packet(i % 2 === 0 ? plain : sealed);
      if (i % 1000 === 0) cluster.timers.advance(20);
    }
    cluster.timers.advance(1000);
    assert.deepEqual(view(target), before);
    assert.deepEqual(target.received, []);
    assert.equal(
      target.membership.counters.refused.undecryptable,
      count - target.membership.counters.refused.label,
    );
    assertWell(scene);
  }));

test("100,000 mutated messages inside of valid seals neither crash nor hang nor grow a node", () =>
  withScene(2, (scene) => {
    const { cluster, target, dice, packet } = scene;
    for (let i = 0; i < 100_000; i++) {
      packet(wrapPacket(envelope, bodyOf(mutated(one(honest, dice), dice)), dice.below(2) === 0));
      if (i % 500 === 0) cluster.timers.advance(20);
    }
    cluster.timers.advance(1000);
    const { refused } = target.membership.counters;
    for (const why of [
      "malformed",
      "unknownType",
      "wrongNode",
      "conflict",
      "absurd",
      "tooManyMembers",
    ] as const)
      assert.ok(refused[why] > 0, why);
    assertWell(scene);
  }));

test("20,000 mutated streams, half of them sealed, neither crash nor hang nor grow a node", () =>
  withScene(3, (scene) => {
    const { cluster, target, dice, stream } = scene;
    for (let i = 0; i < 20_000; i++) {
      const message = mutated(one(honestStreams, dice), dice);
      const isSealed = i % 2 === 0;
      const wrapped = wrapStreamMessage(
        { ...(isSealed ? envelope : plainEnvelope), compress: dice.below(3) === 0 },
        message,
        true,
      );
      stream(isSealed && dice.below(4) === 0 ? mutated(wrapped, dice) : wrapped);
      if (i % 50 === 0) cluster.timers.advance(10);
      if (i % 2000 === 0) cluster.timers.advance(11_000); // streams that say too little are given up
    }
    cluster.timers.advance(30_000);
    const { refused, streamsAccepted } = target.membership.counters;
    assert.equal(streamsAccepted >= 20_000, true);
    for (const why of ["undecryptable", "malformed"] as const) assert.ok(refused[why] > 0, why);
    assertWell(scene);
  }));

test("streams that say nothing are refused when there are too many, and given up in time", () =>
  withScene(7, (scene) => {
    const { cluster, target, stream } = scene;
    for (let i = 0; i < 200; i++) stream(Buffer.of(10));
    cluster.timers.advance(1000);
    assert.equal(target.membership.counters.refused.tooManyRequests, 200 - 128);
    cluster.timers.advance(11_000);
    stream(Buffer.of(10));
    cluster.timers.advance(100);
    assert.equal(target.membership.counters.refused.tooManyRequests, 200 - 128);
    assertWell(scene);
  }));

test("a flood of invented nodes, requests and accusations is bounded and counted", () =>
  withScene(4, (scene) => {
    const { cluster, target, packet } = scene;
    const seal = (message: Buffer) => wrapPacket(envelope, bodyOf(message), false);
    for (let i = 0; i < 5000; i++) {
      packet(seal(alive(`flood-${i}`, 1, i & 0xff)));
      packet(
        seal(
          encodeIndirectPing({
            seqNo: i,
            target: Buffer.of(10, 0, 8, 8),
            port: 1,
            node: "x",
            nack: false,
            source,
          }),
        ),
      );
      packet(seal(encodeAccusation("dead", { incarnation: 0xffffffff, node: "n2", from: "n3" })));
      packet(seal(encodeAccusation("suspect", { incarnation: 0xffffffff, node: "n1", from: "n3" })));
    }
    cluster.timers.advance(100);
    const { refused } = target.membership.counters;
    assert.equal(refused.tooManyMembers, 5000 - (maxMembers - 3));
    assert.ok(refused.tooManyRequests >= 5000 - 4096);
    assert.equal(refused.absurd, 10_000);
    assert.equal(target.stateOf("n2"), "alive");
    assert.equal(target.membership.incarnation, 1); // nobody can use its incarnations up
    assertWell(scene);
  }));

test("old packets that are played again change nothing", () =>
  withScene(5, (scene) => {
    const { cluster, target, packet } = scene;
    const seal = (message: Buffer) => wrapPacket(envelope, bodyOf(message), false);
    const old = [
      alive("n2", 1, 2),
      encodeAccusation("suspect", { incarnation: 1, node: "n2", from: "n3" }),
    ].map(seal);
    packet(old[1] ?? assert.fail());
    cluster.until("n2 has objected", () => (target.membership.member("n2")?.incarnation ?? 0) > 1, 10_000);
    const before = view(target);
    for (let i = 0; i < 1000; i++) for (const packetOfOld of old) packet(packetOfOld);
    cluster.timers.advance(100);
    assert.deepEqual(view(target), before);
    assert.ok(refusedBy(target) < 10);
  }));

test("packets that decompress to too much, or again and again, are refused", () =>
  withScene(6, ({ cluster, target, packet }) => {
    const seal = (message: Buffer) => wrapPacket(envelope, bodyOf(message), false);
    const bomb = compress(Buffer.alloc(4 << 20));
    assert.ok(bomb.length < 60_000);
    packet(seal(bomb));
    packet(seal(compress(compress(Buffer.from("\x08twice")))));
    packet(seal(encodeCompound(new Array<Buffer>(200).fill(compress(Buffer.alloc(60_000))))));
    packet(seal(encodeCompound([encodeCompound([Buffer.from("\x08nested")])])));
    cluster.timers.advance(100);
    assert.equal(target.membership.counters.refused.malformed, 1 + 1 + 200 + 1);
    assert.deepEqual(target.received, []);
  }));
