import assert from "node:assert/strict";
import { BlockList } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import {
  addressFromBytes,
  addressPart,
  addressToBigInt,
  addToAddress,
  bitsOf,
  comparePrefixes,
  contains,
  containsPrefix,
  defaultPrefix,
  familyOf,
  firstAddress,
  type IpAddress,
  interfaceAddress,
  isWeftError,
  lastAddress,
  lengthOf,
  networkOf,
  overlaps,
  parseInterfaceAddress,
  parsePrefix,
  prefixOf,
  sizeOf,
} from "../../src/core/index.ts";

const bytes = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);
const address = bytes.map(addressFromBytes);
const interfaces = address.chain((one) =>
  fc.integer({ min: 0, max: bitsOf(familyOf(one)) }).map((length) => interfaceAddress(one, length)),
);
const prefix = interfaces.map(networkOf);

test("a prefix is read and written in canonical form, and bad ones say what would be right", () => {
  assert.equal(parsePrefix("2001:DB8::/32"), "2001:db8::/32");
  assert.equal(parsePrefix("0.0.0.0/0"), defaultPrefix(4));
  assert.equal(parsePrefix("::/0"), defaultPrefix(6));
  const table: readonly (readonly [string, RegExp])[] = [
    ["10.0.0.1/24", /invalid prefix 10\.0\.0\.1\/24: it should be 10\.0\.0\.0\/24/],
    ["fd00::1/64", /it should be fd00::\/64/],
    ["10.0.0.0", /ADDRESS\/LENGTH/],
    ["10.0.0.0/", /ADDRESS\/LENGTH/],
    ["10.0.0.0/08", /ADDRESS\/LENGTH/],
    ["10.0.0.0/-1", /ADDRESS\/LENGTH/],
    ["10.0.0.0/8/8", /ADDRESS\/LENGTH/],
    ["10.0.0.0/33", /at most 32/],
    ["fd00::/129", /at most 128/],
    ["10.0.0/8", /its address cannot be read/],
    ["/8", /its address cannot be read/],
  ];
  for (const [text, message] of table) {
    const refused = (error: unknown) => isWeftError(error, "INVALID_PREFIX") && message.test(error.message);
    assert.throws(() => parsePrefix(text), refused, text);
  }
});

test("an interface address keeps its host bits and knows its network", () => {
  const one = parseInterfaceAddress("10.1.2.3/20");
  assert.equal(addressPart(one), "10.1.2.3");
  assert.equal(lengthOf(one), 20);
  assert.equal(networkOf(one), "10.1.0.0/20");
});

test("a prefix goes from its first to its last address and holds just those", () => {
  fc.assert(
    fc.property(prefix, (one) => {
      const first = firstAddress(one);
      const last = lastAddress(one);
      assert.equal(parsePrefix(one), one);
      assert.equal(addressToBigInt(last) - addressToBigInt(first) + 1n, sizeOf(one));
      assert.ok(contains(one, first) && contains(one, last));
      const holds = (address: () => IpAddress) => {
        try {
          return contains(one, address());
        } catch (error) {
          assert.ok(isWeftError(error, "INVALID_ADDRESS")); // there is nothing beyond the family's end
          return false;
        }
      };
      assert.ok(!holds(() => addToAddress(first, -1)) && !holds(() => addToAddress(last, 1)));
    }),
  );
});

test("what lies in a prefix is what Node's block list says", () => {
  fc.assert(
    fc.property(interfaces, address, (one, other) => {
      const list = new BlockList();
      const family = (text: string) => (familyOf(text as IpAddress) === 4 ? "ipv4" : "ipv6"); // canonical
      list.addSubnet(addressPart(one), lengthOf(one), family(one));
      const expected = familyOf(one) === familyOf(other) && list.check(other, family(other));
      assert.equal(contains(networkOf(one), other), expected);
      assert.ok(contains(networkOf(one), addressPart(one)));
    }),
  );
});

test("two prefixes overlap exactly when one holds the other", () => {
  const related = fc.tuple(prefix, fc.nat(128), address).map(([one, length, other]) => {
    const base = familyOf(one) === familyOf(other) && length % 2 === 0 ? other : addressPart(one);
    return [one, prefixOf(base, Math.min(length, bitsOf(familyOf(base))))] as const;
  });
  fc.assert(
    fc.property(related, ([a, b]) => {
      assert.equal(overlaps(a, b), overlaps(b, a));
      assert.equal(overlaps(a, b), containsPrefix(a, b) || containsPrefix(b, a));
      if (familyOf(a) !== familyOf(b)) assert.ok(!overlaps(a, b));
      if (containsPrefix(a, b) && containsPrefix(b, a)) assert.equal(a, b);
      assert.equal(comparePrefixes(a, b) === 0, a === b);
      assert.equal(Math.sign(comparePrefixes(a, b)) + Math.sign(comparePrefixes(b, a)), 0);
    }),
  );
});

test("prefixes are ordered by family, address and then the larger first", () => {
  const sorted = ["10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "::/0", "fd00::/8"].map(parsePrefix);
  assert.deepEqual([...sorted].reverse().sort(comparePrefixes), sorted);
});
