import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeName, isDnsName, nameKey, readName, skipName } from "../../src/dns/name.ts";

const long = (labels: number, last = 0) => `${`${"a".repeat(63)}.`.repeat(labels)}${"b".repeat(last)}`;

test("a name is known by its lower-case form without a final dot", () => {
  const table: readonly (readonly [text: string, key: string | undefined])[] = [
    ["web", "web"],
    ["Web.My_Net", "web.my_net"],
    ["web.", "web"],
    ["über", Buffer.from("über").toString("latin1")],
    ["ÜBER", Buffer.from("Über").toString("latin1")],
    ["a".repeat(63), "a".repeat(63)],
    ["a".repeat(64), undefined],
    [long(3, 61), long(3, 61)],
    [long(3, 62), undefined],
    ["", undefined],
    [".", undefined],
    ["a..b", undefined],
    [".a", undefined],
    ["a\\.b", undefined],
  ];
  for (const [text, key] of table) {
    assert.equal(nameKey(text), key, text);
    assert.equal(isDnsName(text), key !== undefined, text);
  }
});

test("names that cannot be are not read", () => {
  const table: readonly (readonly [hex: string, why: string])[] = [
    ["", "nothing there"],
    ["0361", "ends inside a label"],
    ["0161", "no root label"],
    ["c00c", "a pointer"],
    ["40616161", "a reserved label type"],
    ["8061", "another reserved label type"],
    [`${`3f${"61".repeat(63)}`.repeat(4)}00`, "257 bytes"],
    [`${`3f${"61".repeat(63)}`.repeat(3)}3e${"61".repeat(62)}00`, "256 bytes"],
  ];
  for (const [hex, why] of table) assert.equal(readName(Buffer.from(hex, "hex"), 0), undefined, why);
  const longest = Buffer.from(`${`3f${"61".repeat(63)}`.repeat(3)}3d${"61".repeat(61)}00`, "hex");
  assert.equal(readName(longest, 0)?.end, 255);
});

test("a dot inside a label is no label's end", () => {
  assert.deepEqual(readName(Buffer.from("03612e62016300", "hex"), 0), {
    key: "a\\.b.c",
    end: 7,
  });
  assert.equal(readName(Buffer.of(0), 0)?.key, "");
});

test("skipping ends behind the root label or a pointer", () => {
  assert.equal(skipName(Buffer.from("01610000", "hex"), 0), 3);
  assert.equal(skipName(Buffer.from("0161c00cff", "hex"), 0), 4);
  assert.equal(skipName(Buffer.from("0161", "hex"), 0), undefined);
  assert.equal(skipName(Buffer.from("41", "hex"), 0), undefined);
});

test("what is encoded is read back, whatever its case", () => {
  const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,63}$/);
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), (labels) => {
      const name = labels.join(".");
      const wire = encodeName(name);
      if (wire === undefined) return name.length > 253;
      const read = readName(wire, 0);
      assert.equal(read?.key, name.toLowerCase());
      assert.equal(read?.end, wire.length);
      assert.equal(skipName(wire, 0), wire.length);
      return true;
    }),
  );
});
