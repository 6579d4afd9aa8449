import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { isWeftError } from "../../../../src/core/index.ts";
import type { Message } from "../../../../src/gossip/networkdb/messages.ts";
import { decodeMessage, encodeMessage } from "../../../../src/gossip/networkdb/wire/codec.ts";
import { message } from "./arbitraries.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const text = (string: string) => Buffer.from(string).toString("hex");
/** A length-delimited field, by the encoding of Protocol Buffers: shorter than 128 bytes. */
const field = (tag: string, content: string) =>
  `${tag}${(content.length / 2).toString(16).padStart(2, "0")}${content}`;
const gossip = (type: string, content: string) => `08${type}${field("12", content)}`;

/** Made by hand from the numbers of the fields (gossip.md B.12, libnetwork.md §9.3). */
const golden: readonly (readonly [string, Message, string])[] = [
  [
    "node event",
    { kind: "node", change: "join", time: 300, node: "n1" },
    gossip("06", `080110ac02${field("1a", text("n1"))}`),
  ],
  [
    "network event",
    { kind: "network", change: "leave", time: 7, node: "n1", network: "net" },
    gossip("01", `08021007${field("1a", text("n1"))}${field("22", text("net"))}`),
  ],
  [
    "table event, created",
    {
      kind: "table",
      change: "create",
      time: 1,
      node: "n1",
      network: "net",
      table: "endpoint_table",
      key: "ep",
      value: Uint8Array.of(1, 2),
      residualSeconds: 0,
    },
    gossip(
      "02",
      `08011001${field("1a", text("n1"))}${field("22", text("net"))}${field("2a", text("endpoint_table"))}${field("32", text("ep"))}3a020102`,
    ),
  ],
  [
    "table event, deleted",
    {
      kind: "table",
      change: "delete",
      time: 70_000,
      node: "n1",
      network: "net",
      table: "t",
      key: "ep",
      value: new Uint8Array(),
      residualSeconds: 1800,
    },
    gossip(
      "02",
      `080310f0a204${field("1a", text("n1"))}${field("22", text("net"))}${field("2a", text("t"))}${field("32", text("ep"))}40880e`,
    ),
  ],
  [
    "push/pull",
    {
      kind: "push-pull",
      time: 9,
      node: "n1",
      attachments: [
        { network: "net", time: 8, node: "n1", leaving: false },
        { network: "old", time: 9, node: "n2", leaving: true },
      ],
    },
    gossip(
      "03",
      `0809${field("12", `${field("0a", text("net"))}1008${field("1a", text("n1"))}`)}${field("12", `${field("0a", text("old"))}1009${field("1a", text("n2"))}2001`)}${field("1a", text("n1"))}`,
    ),
  ],
  [
    "bulk sync",
    {
      kind: "bulk-sync",
      time: 5,
      unsolicited: true,
      node: "n1",
      networks: ["net", "old"],
      payload: Uint8Array.of(8, 5),
    },
    gossip(
      "04",
      `08051001${field("1a", text("n1"))}${field("22", text("net"))}${field("22", text("old"))}2a020805`,
    ),
  ],
  [
    "compound",
    { kind: "compound", parts: [Uint8Array.of(8, 6), Uint8Array.of(8, 1)] },
    gossip("05", `${field("0a", field("0a", "0806"))}${field("0a", field("0a", "0801"))}`),
  ],
  ["an empty compound, of which the reference leaves out the data", { kind: "compound", parts: [] }, "0805"],
];

test("messages are the bytes that the numbers of their fields make", () => {
  for (const [name, message, bytes] of golden) {
    assert.equal(hex(encodeMessage(message)), bytes, name);
    assert.deepEqual(plain(decodeMessage(Buffer.from(bytes, "hex"))), plain(message), name);
  }
});

test("every message is itself again after encoding and decoding", () => {
  fc.assert(
    fc.property(message, (message) => {
      assert.deepEqual(plain(decodeMessage(encodeMessage(message))), plain(message));
    }),
    { numRuns: 500 },
  );
});

const bodies = {
  node: "NodeEvent",
  network: "NetworkEvent",
  table: "TableEvent",
  "push-pull": "NetworkPushPull",
  "bulk-sync": "BulkSyncMessage",
  compound: "CompoundMessage",
} as const;

test("protoc reads what we write, and we read what it writes", () => {
  fc.assert(
    fc.property(message, (message) => {
      const ours = encodeMessage(message);
      const told = protoc("--decode", "GossipMessage", ours);
      const theirs = protoc("--encode", "GossipMessage", told);
      assert.equal(hex(theirs), hex(ours));
      const { data } = split(ours);
      const body = protoc("--encode", bodies[message.kind], protoc("--decode", bodies[message.kind], data));
      assert.equal(hex(body), hex(data));
    }),
    { numRuns: 15 },
  );
  const typed = protoc(
    "--encode",
    "TableEvent",
    Buffer.from('type: UPDATE l_time: 3 node_name: "é" table_name: "t" key: "k" value: "\\377"'),
  );
  const wrapped = Buffer.concat([Buffer.from([8, 2, 0x12, typed.length]), typed]);
  assert.deepEqual(plain(decodeMessage(wrapped)), {
    kind: "table",
    change: "update",
    time: 3,
    node: "é",
    network: "",
    table: "t",
    key: "k",
    value: "ff",
    residualSeconds: 0,
  });
});

test("fields of later versions are passed over", () => {
  const bytes = gossip("06", `08011005${field("1a", text("n1"))}f8070a${field("9a01", "0102")}`);
  assert.deepEqual(decodeMessage(Buffer.from(bytes, "hex")), {
    kind: "node",
    change: "join",
    time: 5,
    node: "n1",
  });
});

test("what is no message is refused", () => {
  const table: readonly (readonly [string, string])[] = [
    ["nothing", ""],
    ["no type", "12020801"],
    ["a type that there is not", gossip("07", "0801")],
    ["a change that there is not", gossip("06", `08031005${field("1a", text("n1"))}`)],
    ["no change", gossip("01", `1005${field("1a", text("n1"))}`)],
    ["a length beyond the end", "0806127f0801"],
    ["a varint without end", "08ffffffffffffffffffffff"],
    ["a group that does not end", gossip("06", "0b0b0b0b")],
    ["a name that is not UTF-8", gossip("06", `08011005${field("1a", "ff")}`)],
  ];
  for (const [name, bytes] of table)
    assert.throws(
      () => decodeMessage(Buffer.from(bytes, "hex")),
      (error) => isWeftError(error, "GOSSIP_MALFORMED"),
      name,
    );
});

/** With bytes as hexadecimal text: a view is as good as a copy. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

function protoc(how: "--encode" | "--decode", type: string, input: Uint8Array): Buffer {
  const proto = ["--proto_path", "src/gossip/networkdb/wire", "networkdb.proto"];
  return execFileSync("protoc", [`${how}=networkdb.${type}`, ...proto], { input });
}

/** The data of a GossipMessage: after its type, tag and length. */
function split(bytes: Uint8Array): { data: Uint8Array } {
  if (bytes.length === 2) return { data: new Uint8Array() };
  let at = 3;
  while ((bytes[at] ?? 0) > 127) at++;
  return { data: bytes.subarray(at + 1) };
}
