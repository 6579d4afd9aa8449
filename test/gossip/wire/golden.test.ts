// Bytes made by go-msgpack v2, compress/lzw and crypto/aes of Go, as gossip.md B.3 records them.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bodyOf,
  compress,
  decodeAccusation,
  decodeAck,
  decodeAlive,
  decodeCompound,
  decodeIndirectPing,
  decodeNack,
  decodePing,
  decompress,
  type Envelope,
  encodeAccusation,
  encodeAck,
  encodeAlive,
  encodeCompound,
  encodeIndirectPing,
  encodeNack,
  encodePing,
  Keyring,
  labelOf,
  noSource,
  openPacket,
  PackReader,
  PackWriter,
  readPushNode,
  readPushPullHead,
  wrapPacket,
  writePushNode,
  writePushPullHead,
} from "../../../src/gossip/wire/index.ts";

const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const none = new Uint8Array(0);
const ping = "0082a44e6f6465a26e31a55365714e6f01";
const alive =
  "0486a441646472a40a000001ab496e6361726e6174696f6e01a44d657461c0a44e6f6465a26e31a4506f7274cd1f0aa356736ea6010502000000";
const aliveMessage = {
  incarnation: 1,
  node: "n1",
  address: Buffer.of(10, 0, 0, 1),
  port: 7946,
  meta: none,
  versions: Buffer.of(1, 5, 2, 0, 0, 0),
};
const source = { address: Buffer.of(10, 0, 0, 1), port: 7946, node: "n1" };
const indirect = { seqNo: 2, target: Buffer.of(10, 0, 0, 3), port: 7946, node: "n3", nack: true, source };

/** Each message once: its bytes, how it is written, how they are read, and what they say. */
const messages = [
  {
    name: "ping",
    hex: ping,
    write: () => encodePing({ seqNo: 1, node: "n1", source: noSource }),
    read: decodePing,
    says: { seqNo: 1, node: "n1", source: noSource },
  },
  {
    name: "ping with its source",
    hex: "0085a44e6f6465a26e31a55365714e6fce00011170aa536f7572636541646472a40a000001aa536f757263654e6f6465a26e32aa536f75726365506f7274cd1f0a",
    write: () => encodePing({ seqNo: 70000, node: "n1", source: { ...source, node: "n2" } }),
    read: decodePing,
    says: { seqNo: 70000, node: "n1", source: { ...source, node: "n2" } },
  },
  {
    name: "indirect ping",
    hex: "0188a44e61636bc3a44e6f6465a26e33a4506f7274cd1f0aa55365714e6f02aa536f7572636541646472a40a000001aa536f757263654e6f6465a26e31aa536f75726365506f7274cd1f0aa6546172676574a40a000003",
    write: () => encodeIndirectPing(indirect),
    read: decodeIndirectPing,
    says: indirect,
  },
  {
    name: "ack",
    hex: "0282a75061796c6f6164c0a55365714e6f01",
    write: () => encodeAck({ seqNo: 1, payload: none }),
    read: decodeAck,
    says: { seqNo: 1, payload: none },
  },
  {
    name: "suspect",
    hex: "0383a446726f6da26e32ab496e6361726e6174696f6e05a44e6f6465a26e31",
    write: () => encodeAccusation("suspect", { incarnation: 5, node: "n1", from: "n2" }),
    read: decodeAccusation,
    says: { incarnation: 5, node: "n1", from: "n2" },
  },
  {
    name: "alive",
    hex: alive,
    write: () => encodeAlive(aliveMessage),
    read: decodeAlive,
    says: aliveMessage,
  },
  {
    name: "alive with 40 bytes of meta",
    hex: alive.replace("a44d657461c0", `a44d657461da0028${"ab".repeat(40)}`),
    write: () => encodeAlive({ ...aliveMessage, meta: Buffer.alloc(40, 0xab) }),
    read: decodeAlive,
    says: { ...aliveMessage, meta: Buffer.alloc(40, 0xab) },
  },
  {
    name: "nack",
    hex: "0b81a55365714e6fcd012c",
    write: () => encodeNack(300),
    read: decodeNack,
    says: 300,
  },
] as const;

/** Buffers and other byte arrays compare by what they hold. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_key, one) => (isBytes(one) ? [...bytesOf(one)].join(",") : one)));
const isBytes = (one: unknown) =>
  one instanceof Uint8Array || (one as { type?: string } | null)?.type === "Buffer";
const bytesOf = (one: Uint8Array | { data: number[] }) => (one instanceof Uint8Array ? one : one.data);

for (const { name, hex, write, read, says } of messages) {
  test(`${name} is written and read as Go does`, () => {
    assert.equal(write().toString("hex"), hex);
    assert.deepEqual(plain(read(new PackReader(bytes(hex), 1))), plain(says));
  });
}

test("the head and a node of a push/pull are written and read as Go does", () => {
  const head = { nodes: 200, userStateLength: 0, join: true };
  const written = new PackWriter().byte(6);
  writePushPullHead(written, head);
  const hex = "0683a44a6f696ec3a54e6f646573d100c8ac5573657253746174654c656e00";
  assert.equal(written.written.toString("hex"), hex);
  assert.deepEqual(readPushPullHead(new PackReader(bytes(hex), 1)), head);

  const node = new PackWriter();
  writePushNode(node, { ...aliveMessage, state: 0 });
  const nodeHex =
    "87a441646472a40a000001ab496e6361726e6174696f6e01a44d657461c0a44e616d65a26e31a4506f7274cd1f0aa5537461746500a356736ea6010502000000";
  assert.equal(node.written.toString("hex"), nodeHex);
  const reader = new PackReader(Buffer.concat([bytes(nodeHex), Buffer.from("state of the user")]));
  assert.deepEqual(plain(readPushNode(reader)), plain({ ...aliveMessage, state: 0 }));
  assert.equal(reader.rest.toString(), "state of the user"); // it did not read ahead
});

test("a compound is written and read as Go does", () => {
  const hex = `07020011003a${ping}${alive}`;
  assert.equal(encodeCompound([bytes(ping), bytes(alive)]).toString("hex"), hex);
  const parts: string[] = [];
  const cutOff = decodeCompound(bytes(hex), 1, hex.length / 2, (start, end) =>
    parts.push(hex.slice(2 * start, 2 * end)),
  );
  assert.deepEqual([parts, cutOff], [[ping, alive], 0]);
});

const text = Buffer.from("abcd".repeat(8));
const compressed = "0982a4416c676f00a3427566b200c3881943462041830507263ca81021c280";

test("compression is written and read as Go does", () => {
  assert.equal(compress(text).toString("hex"), compressed);
  assert.equal(decompress(new PackReader(bytes(compressed), 1), 100).toString(), text.toString());
});

const open: Envelope = {
  label: labelOf(""),
  skipInboundLabelCheck: false,
  keyring: undefined,
  verifyIncoming: true,
  verifyOutgoing: true,
  compress: false,
  sealVersion: 1,
};
const keyring = new Keyring([Buffer.from("0123456789abcdef")], () => Buffer.from("NONCE-12byte"));
const packets = [
  { name: "a CRC", envelope: open, crc: true, hex: `0c752fdf22${ping}` },
  {
    name: "AES-GCM",
    envelope: { ...open, keyring },
    crc: false,
    hex: "014e4f4e43452d31326279746512b1691444b239c56017cee7656639b341bc93a72151acb768dba760a2b17f3a32",
  },
  {
    name: "AES-GCM and a label",
    envelope: { ...open, keyring, label: labelOf("lab") },
    crc: false,
    hex: "f4036c6162014e4f4e43452d31326279746512b1691444b239c56017cee7656639b341135365835663b022bc36e288c6844912",
  },
];
for (const { name, envelope, crc, hex } of packets) {
  test(`a packet with ${name} is written and read as Go does`, () => {
    assert.equal(wrapPacket(envelope, bodyOf(bytes(ping)), crc).toString("hex"), hex);
    assert.deepEqual(openPacket(envelope, bytes(hex)), { message: bytes(ping) });
  });
}
