import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../../../src/core/index.ts";
import { decodeFlow, deleteFlow, type Flow } from "../../../../src/kernel/netlink/conntrack/index.ts";
import { readMessages, writeMessage } from "../../../../src/kernel/netlink/message.ts";
import { Writer } from "../../../../src/kernel/netlink/wire.ts";
import { readFixture } from "../../../fixture-file.ts";

interface Capture {
  readonly command: string;
  readonly sent: readonly string[];
  readonly received: readonly string[];
}

const captures = JSON.parse(readFixture("conntrack/flows.json")) as readonly Capture[]; // as the capturing script writes it

function capture(command: string): Capture {
  const found = captures.find((one) => one.command === command);
  assert.ok(found !== undefined, command);
  return found;
}

function decoded(datagrams: readonly string[]): readonly Flow[] {
  const messages = datagrams.flatMap((hex) => [...readMessages(Buffer.from(hex, "hex"))]);
  return messages.map(decodeFlow).filter((flow) => flow !== undefined);
}

const address = parseAddress;
const four = { source: address("192.0.2.7"), destination: address("192.0.2.1") };
const six = { source: address("2001:db8::7"), destination: address("2001:db8::1") };
const back = ({ source, destination }: typeof four) => ({ source: destination, destination: source });

const flows: Readonly<Record<string, Omit<Flow, "id" | "timeoutSeconds">>> = {
  tcp: {
    original: { ...four, protocol: 6, sourcePort: 40000, destinationPort: 80 },
    reply: {
      source: address("10.0.0.2"),
      destination: four.source,
      protocol: 6,
      sourcePort: 8080,
      destinationPort: 40000,
    },
    status: 8,
    mark: 5,
  },
  icmp: {
    original: { ...four, protocol: 1, icmp: { id: 77, type: 8, code: 0 } },
    reply: { ...back(four), protocol: 1, icmp: { id: 77, type: 0, code: 0 } },
    status: 8,
    mark: 0,
  },
  udp: {
    original: { ...six, protocol: 17, sourcePort: 40000, destinationPort: 53 },
    reply: {
      source: address("fd00::2"),
      destination: six.source,
      protocol: 17,
      sourcePort: 5353,
      destinationPort: 40000,
    },
    status: 8,
    mark: 0,
    zone: 9,
  },
  icmpv6: {
    original: { ...six, protocol: 58, icmp: { id: 78, type: 128, code: 0 } },
    reply: { ...back(six), protocol: 58, icmp: { id: 78, type: 129, code: 0 } },
    status: 8,
    mark: 0,
  },
};

const byProtocol = (list: readonly Omit<Flow, "id" | "timeoutSeconds">[]) =>
  [...list].sort((a, b) => a.original.protocol - b.original.protocol);

for (const [family, names] of [
  ["ipv4", ["tcp", "icmp"]],
  ["ipv6", ["udp", "icmpv6"]],
] as const) {
  test(`flows of ${family} that the kernel told conntrack(8) of are decoded`, () => {
    const found = decoded(capture(`conntrack -L -f ${family}`).received);
    assert.ok(found.every(({ id }) => id !== 0));
    assert.ok(found.every(({ timeoutSeconds = 0 }) => timeoutSeconds > 0 && timeoutSeconds <= 60));
    const rest = found.map(({ id: _id, timeoutSeconds: _seconds, ...flow }) => flow);
    assert.deepEqual(byProtocol(rest), byProtocol(names.flatMap((name) => flows[name] ?? [])));
  });
}

test("a deletion names the flow as conntrack(8) names it, and its id besides", () => {
  for (const [command, name] of [
    ["conntrack -D -p tcp --orig-dst 192.0.2.1 --orig-port-dst 80", "tcp"],
    ["conntrack -D -f ipv6 -p udp --orig-dst 2001:db8::1", "udp"],
    ["conntrack -D -p icmp", "icmp"],
    ["conntrack -D -f ipv6 -p icmpv6", "icmpv6"],
  ] as const) {
    const [theirs] = capture(command).sent.slice(-1);
    const wanted = flows[name];
    assert.ok(theirs !== undefined && wanted !== undefined);
    const writer = new Writer();
    writeMessage(writer, deleteFlow({ ...wanted, id: 0xfeedbeef }), 0x5, 1);
    const ours = writer.finish();
    const type = (bytes: Buffer) => [bytes.readUInt16LE(4), bytes.readUInt8(16)];
    const bytes = Buffer.from(theirs, "hex");
    assert.deepEqual(type(ours), type(bytes));
    // nfgenmsg is followed by CTA_TUPLE_ORIG in both.
    const tuple = ours.subarray(20, 20 + ours.readUInt16LE(20));
    assert.equal(tuple.toString("hex"), bytes.subarray(20, 20 + tuple.length).toString("hex"), name);
    assert.match(ours.toString("hex"), /08000c00feedbeef/);
  }
});

test("what tells of no flow is passed over", () => {
  for (const { received } of captures)
    for (const hex of received)
      for (const message of readMessages(Buffer.from(hex, "hex")))
        if (message.type === 3) assert.equal(decodeFlow(message), undefined);
});
