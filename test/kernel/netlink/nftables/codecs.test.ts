import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressFromBytes, macFromBytes } from "../../../../src/core/index.ts";
import { decodeFields, encodeFields } from "../../../../src/kernel/netlink/nftables/concatenation.ts";
import { data } from "../../../../src/kernel/netlink/nftables/data.ts";
import { inetProtocols } from "../../../../src/kernel/netlink/nftables/datatypes.ts";
import { elementsFromWire, elementToWire } from "../../../../src/kernel/netlink/nftables/element.ts";
import { expression } from "../../../../src/kernel/netlink/nftables/expressions/index.ts";
import {
  type Expression,
  type FieldType,
  type FieldValue,
  type KeyPart,
  type SetType,
  sortElements,
  type TypeofField,
} from "../../../../src/kernel/netlink/nftables/index.ts";
import { register } from "../../../../src/kernel/netlink/nftables/registers.ts";
import { setAttributes, setFromWire, setTypeToWire } from "../../../../src/kernel/netlink/nftables/set.ts";
import { decodeTypeof, encodeTypeof } from "../../../../src/kernel/netlink/nftables/typeof.ts";
import { readUserdata, writeUserdata } from "../../../../src/kernel/netlink/nftables/userdata.ts";
import { type Codec, Writer } from "../../../../src/kernel/netlink/wire.ts";

function roundTrip<T>(codec: Codec<T>, value: T): T {
  const writer = new Writer();
  codec.write(writer, value);
  return codec.read(Buffer.from(writer.finish()));
}

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { noNullPrototype: true });
const slot = fc.nat(15);
const u32 = fc.nat(0xffff_ffff);
const hex = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((b) => Buffer.from(b).toString("hex"));
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,14}$/);
const verdict = fc.oneof(
  fc.constantFrom("accept", "drop", "continue", "break", "return").map((v) => ({ verdict: v }) as const),
  record({ verdict: fc.constantFrom("jump" as const, "goto" as const), chain: name }),
  record({ verdict: fc.constant("queue" as const), queue: fc.nat(0x7fff) }),
);
/** Records whose other members may be absent. */
const optional = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }, keys: (keyof T)[]) =>
  fc.record(model, { requiredKeys: keys, noNullPrototype: true });

const expressions: fc.Arbitrary<Expression> = fc.oneof(
  record({
    kind: fc.constant("meta" as const),
    key: fc.constantFrom("mark", "iifname", "secpath"),
    into: slot,
  }),
  record({ kind: fc.constant("meta-set" as const), key: fc.constantFrom("mark", "nftrace"), from: slot }),
  record({
    kind: fc.constant("payload" as const),
    base: fc.constantFrom("link", "network", "transport", "inner"),
    offset: fc.nat(255),
    length: fc.integer({ min: 1, max: 16 }),
    into: slot,
  }),
  optional(
    {
      kind: fc.constant("payload-set" as const),
      base: fc.constantFrom("network" as const, "transport" as const),
      offset: fc.nat(255),
      length: fc.integer({ min: 1, max: 16 }),
      from: slot,
      checksum: record({ type: fc.constantFrom("inet" as const, "sctp" as const), offset: fc.nat(99) }),
      pseudoHeader: fc.constant(true as const),
    },
    ["kind", "base", "offset", "length", "from"],
  ),
  record({
    kind: fc.constant("cmp" as const),
    from: slot,
    op: fc.constantFrom("==", "!=", "<", "<=", ">", ">="),
    value: hex(1, 16),
  }),
  record({
    kind: fc.constant("range" as const),
    from: slot,
    op: fc.constantFrom("==", "!="),
    low: hex(4, 4),
    high: hex(4, 4),
  }),
  record({
    kind: fc.constant("mask" as const),
    from: slot,
    into: slot,
    length: fc.constant(4),
    mask: hex(4, 4),
    xor: hex(4, 4),
  }),
  record({
    kind: fc.constant("shift" as const),
    direction: fc.constantFrom("left", "right"),
    from: slot,
    into: slot,
    length: fc.constant(4),
    by: hex(4, 4),
  }),
  record({
    kind: fc.constant("byteorder" as const),
    to: fc.constantFrom("host", "network"),
    from: slot,
    into: slot,
    length: fc.constant(4),
    size: fc.constant(4),
  }),
  record({ kind: fc.constant("immediate" as const), into: slot, value: hex(1, 16) }),
  record({ kind: fc.constant("verdict" as const), verdict }),
  optional(
    {
      kind: fc.constant("lookup" as const),
      set: name,
      from: slot,
      into: fc.oneof(slot, fc.constant("verdict" as const)),
      inverted: fc.constant(true as const),
      setId: u32,
    },
    ["kind", "set", "from"],
  ),
  optional(
    {
      kind: fc.constant("ct" as const),
      key: fc.constantFrom("state" as const, "ip saddr" as const),
      into: slot,
      direction: fc.constantFrom("original" as const, "reply" as const),
    },
    ["kind", "key", "into"],
  ),
  record({ kind: fc.constant("ct-set" as const), key: fc.constantFrom("mark", "zone"), from: slot }),
  record({
    kind: fc.constant("fib" as const),
    selectors: fc.subarray(["saddr", "daddr", "mark", "iif", "oif", "present"] as const, { minLength: 1 }),
    result: fc.constantFrom("oif", "oifname", "type"),
    into: slot,
  }),
  optional(
    {
      kind: fc.constant("masquerade" as const),
      port: fc.constant(0),
      portEnd: fc.constant(4),
      flags: fc.subarray(["random", "persistent", "fully-random"] as const, { minLength: 1 }),
    },
    ["kind"],
  ),
  optional({ kind: fc.constant("redirect" as const), port: fc.constant(0), portEnd: fc.constant(4) }, [
    "kind",
  ]),
  optional(
    {
      kind: fc.constant("nat" as const),
      type: fc.constantFrom("snat" as const, "dnat" as const),
      family: fc.constantFrom("ip" as const, "ip6" as const),
      address: fc.constant(0),
      addressEnd: fc.constant(4),
      port: fc.constant(8),
      portEnd: fc.constant(12),
      flags: fc.subarray(["random", "persistent", "fully-random", "netmap"] as const, { minLength: 1 }),
    },
    ["kind", "type", "family"],
  ),
  optional(
    {
      kind: fc.constant("numgen" as const),
      mode: fc.constantFrom("inc" as const, "random" as const),
      modulus: u32,
      offset: fc.integer({ min: 1, max: 99 }),
      into: slot,
    },
    ["kind", "mode", "modulus", "into"],
  ),
  optional(
    {
      kind: fc.constant("jhash" as const),
      from: slot,
      length: fc.nat(64),
      modulus: u32,
      seed: u32,
      offset: fc.integer({ min: 1, max: 99 }),
      into: slot,
    },
    ["kind", "from", "length", "modulus", "into"],
  ),
  record({ kind: fc.constant("symhash" as const), modulus: u32, into: slot }),
  optional(
    {
      kind: fc.constant("counter" as const),
      packets: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
      bytes: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
    },
    ["kind"],
  ),
  optional(
    {
      kind: fc.constant("limit" as const),
      of: fc.constantFrom("packets" as const, "bytes" as const),
      rate: fc.bigInt({ min: 1n, max: 2n ** 40n }),
      perSeconds: fc.constantFrom(1n, 60n, 3600n),
      burst: u32,
      over: fc.constant(true as const),
    },
    ["kind", "of", "rate", "perSeconds", "burst"],
  ),
  optional(
    {
      kind: fc.constant("log" as const),
      prefix: name,
      level: fc.nat(3),
      group: fc.nat(65535),
      snaplen: fc.integer({ min: 1, max: 99 }),
    },
    ["kind"],
  ),
  record({
    kind: fc.constant("reject" as const),
    with: fc.constantFrom("icmp", "tcp-reset", "icmpx"),
    code: fc.nat(13),
  }),
  optional(
    {
      kind: fc.constant("queue" as const),
      number: fc.nat(65535),
      total: fc.integer({ min: 2, max: 9 }),
      flags: fc.subarray(["bypass", "fanout"] as const, { minLength: 1 }),
    },
    ["kind"],
  ),
  optional(
    {
      kind: fc.constant("dynset" as const),
      operation: fc.constantFrom("add" as const, "update" as const, "delete" as const),
      set: name,
      key: slot,
      data: slot,
      timeoutMs: fc.integer({ min: 1, max: 1e9 }),
    },
    ["kind", "operation", "set", "key"],
  ),
  record({ kind: fc.constant("rt" as const), key: fc.constantFrom("tcp-mss", "ipsec"), into: slot }),
  record({
    kind: fc.constant("xfrm" as const),
    key: fc.constantFrom("reqid", "spi", "saddr4"),
    direction: fc.constantFrom("in", "out"),
    into: slot,
  }),
  record({ kind: fc.constant("socket" as const), key: fc.constantFrom("transparent", "mark"), into: slot }),
  record({ kind: fc.constant("tproxy" as const), family: fc.constantFrom("ip", "ip6", "inet"), port: slot }),
  record({
    kind: fc.constant("exthdr-set" as const),
    of: fc.constant("tcpopt" as const),
    type: fc.constant(2),
    offset: fc.constant(2),
    length: fc.constant(2),
    from: slot,
  }),
  record({ kind: fc.constant("unknown" as const), name: fc.constant("quota"), bytes: hex(0, 40) }),
);

test("every expression is read as it was written", () => {
  fc.assert(
    fc.property(expressions, (value) => assert.deepEqual(roundTrip(expression, value), value)),
    {
      numRuns: 2000,
    },
  );
});

test("what is not known of a known expression keeps its bytes", () => {
  // A counter with an attribute of number 9 that no kernel has yet.
  const bytes = "0c00010000000000000000010c000900000000000000002a";
  const value: Expression = { kind: "unknown", name: "counter", bytes };
  assert.deepEqual(roundTrip(expression, value), value);
});

test("a register of four words has the same number by either name", () => {
  fc.assert(fc.property(slot, (value) => assert.equal(roundTrip(register, value), value)));
  assert.equal(register.read(Buffer.from([0, 0, 0, 2])), register.read(Buffer.from([0, 0, 0, 12])));
  for (const number of [5, 7, 24])
    assert.throws(() => register.read(Buffer.from([0, 0, 0, number])), RangeError);
});

test("data is read as it was written", () => {
  const values = fc.oneof(
    hex(1, 64).map((value) => ({ value })),
    verdict.map((one) => ({ verdict: one })),
  );
  fc.assert(fc.property(values, (value) => assert.deepEqual(roundTrip(data, value), value)));
});

const bytesOf = (count: number) => fc.uint8Array({ minLength: count, maxLength: count });
const address4 = bytesOf(4).map(addressFromBytes);
const address6 = bytesOf(16).map(addressFromBytes);
const port = fc.nat(65535);

/** Fields, each with values of it. */
const fields: fc.Arbitrary<readonly [FieldType, FieldValue]> = fc.oneof(
  fc.tuple(fc.constant("ipv4_addr" as const), address4),
  fc.tuple(fc.constant("ipv6_addr" as const), address6),
  fc.tuple(fc.constant("ether_addr" as const), bytesOf(6).map(macFromBytes)),
  fc.tuple(fc.constant("inet_proto" as const), fc.constantFrom(...Object.keys(inetProtocols), 99)),
  fc.tuple(fc.constant("inet_service" as const), port),
  fc.tuple(fc.constant("ifname" as const), name),
  fc.tuple(fc.constant("mark" as const), u32),
  fc.tuple(fc.constant("nf_proto" as const), fc.constantFrom("ipv4", "ipv6")),
  fc.tuple(fc.constant({ integer: 24 }), fc.nat(0xff_ffff)),
  fc.tuple(fc.constant({ integer: 32, order: "host" } as const), u32),
  fc.tuple(fc.constant({ raw: 3 }), hex(3, 3)),
);

test("a key of any fields is read as it was written, in words of four bytes", () => {
  fc.assert(
    fc.property(fc.array(fields, { minLength: 1, maxLength: 4 }), (parts) => {
      const types = parts.map(([type]) => type);
      const values = parts.map(([, value]) => value);
      const bytes = encodeFields(types, values);
      if (types.length > 1) assert.equal(bytes.length % 4, 0);
      assert.deepEqual(decodeFields(types, bytes), values);
    }),
  );
});

const wrongValues: readonly (readonly [readonly FieldType[], readonly FieldValue[]])[] = [
  [["ipv4_addr"], ["fd00::1"]],
  [["ipv6_addr"], ["10.0.0.1"]],
  [["inet_service"], [65536]],
  [["inet_service"], [-1]],
  [["inet_service"], ["http"]],
  [["mark"], [1.5]],
  [["ifname"], ["sixteen-bytes-xx"]],
  [["ifname"], [""]],
  [["inet_proto", "inet_service"], ["tcp"]],
  [["inet_proto"], ["tcp", 80]],
  [[{ integer: 24 }], [0x100_0000]],
  [[{ integer: 64 }], [1]],
];

for (const [types, values] of wrongValues)
  test(`${JSON.stringify(values)} is refused for ${JSON.stringify(types)}`, () => {
    assert.throws(() => encodeFields(types, values), RangeError);
  });

/** Ranges of addresses and of ports that neither overlap nor touch. */
function apart(limit: number) {
  return fc.uniqueArray(fc.nat(limit), { minLength: 2, maxLength: 40 }).map((cuts) => {
    const sorted = cuts.sort((a, b) => a - b);
    const pairs: (readonly [number, number])[] = [];
    for (let i = 0; i + 1 < sorted.length; i += 2) pairs.push([sorted[i] ?? 0, sorted[i + 1] ?? 0]);
    return pairs;
  });
}

const dotted = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return addressFromBytes(bytes);
};

test("intervals are put together from their halves, in whatever order these come", () => {
  const type: SetType = { key: ["ipv4_addr"], interval: true };
  fc.assert(
    fc.property(apart(0xffff_ffff), fc.infiniteStream(fc.nat()), (pairs, random) => {
      const elements = pairs.map(([from, to]) => ({ key: [{ from: dotted(from), to: dotted(to) }] }));
      const wires = elements.flatMap((element) => elementToWire(type, element));
      const keyed = wires.map((wire) => ({ wire, at: random.next().value }));
      const shuffled = keyed.sort((a, b) => a.at - b.at).map(({ wire }) => wire);
      const bounds = elementsFromWire(type, shuffled).map(({ key }) => rangeOf(key[0] as KeyPart)); // none is "*"
      assert.deepEqual(bounds, pairs);
    }),
  );
});

function rangeOf(part: KeyPart): readonly [number, number] {
  const number = (text: FieldValue) =>
    String(text)
      .split(".")
      .reduce((sum, byte) => sum * 256 + Number(byte), 0);
  if (typeof part === "object") return [number(part.from), number(part.to)];
  const [address = "", length = "32"] = String(part).split("/");
  return [number(address), number(address) + 2 ** (32 - Number(length)) - 1];
}

test("a concatenation with ranges is read as it was written", () => {
  const type: SetType = { key: ["ifname", "ipv4_addr", "inet_service"], interval: true };
  fc.assert(
    fc.property(name, fc.nat(32), u32, fc.tuple(port, port), (link, length, bits, [a, b]) => {
      const network = length === 0 ? 0 : ((bits >>> (32 - length)) << (32 - length)) >>> 0;
      const prefix = length === 32 ? dotted(network) : `${dotted(network)}/${length}`;
      const ports = a === b ? a : { from: Math.min(a, b), to: Math.max(a, b) };
      const element = { key: [link, prefix, ports] };
      assert.deepEqual(elementsFromWire(type, elementToWire(type, element)), [element]);
    }),
  );
});

test("elements are sorted by their bytes, not by their text", () => {
  const elements = [{ key: ["10.0.0.1"] }, { key: ["9.0.0.1"] }];
  assert.deepEqual(sortElements({ key: ["ipv4_addr"] }, elements), [...elements].reverse());
});

const typeofFields: fc.Arbitrary<TypeofField> = fc.oneof(
  fc.constantFrom("ip saddr" as const, "tcp dport" as const, "ip6 daddr" as const),
  fc.constantFrom({ meta: "mark" } as const, { meta: "l4proto" } as const),
  record({ payload: fc.constantFrom("network", "transport"), offsetBits: u32, lengthBits: u32 }),
  record({ numgen: fc.constantFrom("inc", "random"), modulus: u32 }),
  record({ numgen: fc.constantFrom("inc", "random"), modulus: u32, offset: fc.integer({ min: 1, max: 99 }) }),
);

test("a typeof is read as it was written", () => {
  fc.assert(
    fc.property(fc.array(typeofFields, { minLength: 1, maxLength: 4 }), (value) =>
      assert.deepEqual(decodeTypeof(encodeTypeof(value)), value),
    ),
  );
});

const setTypes: fc.Arbitrary<SetType> = optional(
  {
    key: fc.array(fc.constantFrom("ipv4_addr" as const, "ifname" as const, "inet_service" as const), {
      minLength: 1,
      maxLength: 3,
    }),
    data: fc.oneof(fc.constant("verdict" as const), fc.constant(["ipv6_addr", "mark"] as const)),
    interval: fc.constant(true as const),
    timeoutMs: fc.oneof(fc.constant(true as const), fc.integer({ min: 1, max: 1e9 })),
    gcIntervalMs: fc.integer({ min: 1, max: 1e6 }),
    constant: fc.constant(true as const),
    size: fc.integer({ min: 1, max: 1e6 }),
    policy: fc.constant("memory" as const),
    autoMerge: fc.constant(true as const),
    comment: name,
  },
  ["key"],
);

test("a set is read as it was written", () => {
  fc.assert(
    fc.property(setTypes, (type) => {
      const wire = roundTrip(setAttributes, setTypeToWire(type, false));
      assert.deepEqual(setFromWire("inet", wire).type, type);
    }),
  );
});

test("userdata of another program is read as far as it goes, and never fails", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => assert.ok(readUserdata(bytes).length >= 0)),
  );
  assert.throws(() => writeUserdata([{ type: 0, value: Buffer.alloc(256) }]), RangeError);
});
