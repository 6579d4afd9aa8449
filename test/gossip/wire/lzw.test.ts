import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isWeftError } from "../../../src/core/index.ts";
import { lzwDecode, lzwEncode } from "../../../src/gossip/wire/lzw.ts";

const malformed = (error: unknown) => isWeftError(error, "GOSSIP_MALFORMED");

test("what was compressed comes back, also when the table of codes is full many times", () => {
  const few = fc.array(fc.constantFrom(0, 1, 2, 255), { maxLength: 30_000 });
  const any = fc.uint8Array({ maxLength: 20_000, size: "max" });
  fc.assert(
    fc.property(fc.oneof(few, any), (input) => {
      const bytes = Buffer.from(input);
      assert.deepEqual(lzwDecode(lzwEncode(bytes), bytes.length), bytes);
    }),
    { numRuns: 200 },
  );
});

test("runs of one byte come back at every length around a new width of codes", () => {
  for (let length = 0; length < 9000; length += length < 700 ? 1 : 97) {
    const bytes = Buffer.alloc(length, 7);
    assert.equal(lzwDecode(lzwEncode(bytes), length).equals(bytes), true, `length ${length}`);
  }
});

test("what would decompress to more than is taken is refused, and takes no memory", () => {
  const bomb = lzwEncode(Buffer.alloc(1 << 20));
  assert.throws(() => lzwDecode(bomb, 65_536), malformed);
});

test("bytes that are no LZW are refused, and never read past their end", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (input) => {
      try {
        assert.ok(lzwDecode(input, 10_000).length <= 10_000);
      } catch (error) {
        assert.ok(malformed(error), String(error));
      }
    }),
  );
});
