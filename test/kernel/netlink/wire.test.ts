import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { attribute, attributeList, attributes, nested } from "../../../src/kernel/netlink/attributes.ts";
import { bool8, clockTicks, enumerated, linkLayerAddress } from "../../../src/kernel/netlink/codecs.ts";
import { readMessages, writeMessage } from "../../../src/kernel/netlink/message.ts";
import * as wire from "../../../src/kernel/netlink/wire.ts";

const integers: readonly (readonly [wire.FixedCodec<number>, number, number])[] = [
  [wire.u8, 0, 0xff],
  [wire.u16, 0, 0xffff],
  [wire.u32, 0, 0xffffffff],
  [wire.i32, -0x80000000, 0x7fffffff],
  [wire.u16be, 0, 0xffff],
  [wire.u32be, 0, 0xffffffff],
];

test("integers are read as they were written, in as many bytes as they say", () => {
  for (const [codec, min, max] of integers) {
    fc.assert(
      fc.property(fc.integer({ min, max }), (value) => {
        const bytes = wire.encode(codec, value);
        assert.equal(bytes.length, codec.size);
        assert.equal(codec.read(bytes), value);
      }),
    );
  }
  const big = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  for (const codec of [wire.u64, wire.u64be])
    fc.assert(fc.property(big, (value) => assert.equal(codec.read(wire.encode(codec, value)), value)));
});

test("texts, flags and bytes are read as they were written", () => {
  const text = fc.string({ unit: "grapheme" }).filter((value) => !value.includes("\0"));
  fc.assert(fc.property(text, (value) => assert.equal(wire.text.read(wire.encode(wire.text, value)), value)));
  fc.assert(
    fc.property(fc.uint8Array(), (value) =>
      assert.deepEqual(new Uint8Array(wire.bytes.read(wire.encode(wire.bytes, value))), value),
    ),
  );
  assert.equal(wire.text.read(Buffer.from("no end")), "no end");
  assert.equal(wire.encode(wire.flag, true).length, 0);
});

test("a struct has its members in their order, and its holes", () => {
  const codec = wire.struct({ first: wire.u8, hole: wire.padding(1), second: wire.u16be, third: wire.u32be });
  assert.equal(codec.size, 8);
  const bytes = wire.encode(codec, { first: 1, second: 0x203, third: 0x4050607 });
  assert.equal(bytes.toString("hex"), "0100020304050607");
  assert.deepEqual(codec.read(bytes), { first: 1, second: 0x203, third: 0x4050607 });
});

test("a set of attributes is read as it was written; what is absent or not declared is left out", () => {
  const inner = attributes({
    flag: attribute(1, wire.flag),
    list: attribute(2, attributeList(7, wire.u8, { nested: false })),
  });
  const codec = attributes({
    name: attribute(3, wire.text),
    inner: nested(4, inner),
    number: attribute(5, wire.u32),
  });
  const values = fc.record(
    {
      name: fc.stringMatching(/^[a-z]*$/),
      number: fc.integer({ min: 0, max: 0xffffffff }),
      inner: fc.record(
        { flag: fc.constant<true>(true), list: fc.array(fc.integer({ min: 0, max: 255 })) },
        { requiredKeys: [], noNullPrototype: true },
      ),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  const older = attributes({ number: attribute(5, wire.u32) });
  fc.assert(
    fc.property(values, (value) => {
      const bytes = wire.encode(codec, value);
      assert.equal(bytes.length % 4, 0);
      assert.deepEqual(codec.read(bytes), value);
      assert.equal(older.read(bytes).number, value.number);
    }),
  );
});

test("attributes and messages that are cut off are refused", () => {
  const codec = attributes({ number: attribute(5, wire.u32) });
  const bytes = wire.encode(codec, { number: 1 });
  assert.throws(() => codec.read(bytes.subarray(0, 6)), RangeError);
  const writer = new wire.Writer();
  const request = { type: 16, flags: 0, call: "x", object: "y", body: (w: wire.Writer) => w.u32(1) };
  writeMessage(writer, request, 1, 1);
  assert.equal([...readMessages(writer.finish())].length, 1);
  assert.throws(() => [...readMessages(writer.finish().subarray(0, 18))], RangeError);
});

test("values that have names are read as names, others as numbers", () => {
  const codec = enumerated(wire.u16, { one: 1, two: 2 });
  assert.equal(codec.read(wire.encode(codec, "two")), "two");
  assert.equal(codec.read(wire.encode(codec, 2)), "two");
  assert.equal(codec.read(wire.encode(codec, 3)), 3);
  assert.equal(bool8.read(Buffer.of(7)), true);
  assert.equal(wire.encode(clockTicks, 15_000).readUInt32LE(), 1500);
  assert.equal(linkLayerAddress.read(Buffer.from("0a000001", "hex")), undefined);
  assert.equal(linkLayerAddress.read(Buffer.from("02420a000001", "hex")), "02:42:0a:00:00:01");
});
