import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import {
  addressFromBigInt,
  addressFromBytes,
  addressToBigInt,
  addressToBytes,
  addToAddress,
  compareAddresses,
  familyOf,
  type IpAddress,
  isLinkLocal,
  isLoopback,
  isMulticast,
  isWeftError,
  parseAddress,
  parseIpv4,
  parseIpv6,
  reverseName,
} from "../../src/core/index.ts";

const address4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(addressFromBytes);
/** Many zero bytes, so that runs of zeros of every length come. */
const address6 = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 255 })), {
    minLength: 16,
    maxLength: 16,
  })
  .map((bytes) => addressFromBytes(Uint8Array.from(bytes)));
const address = fc.oneof(address4, address6);

const isRefused = (error: unknown) => isWeftError(error, "INVALID_ADDRESS");

test("IPv6 addresses are written as RFC 5952 wants them", () => {
  const table: readonly (readonly [string, string])[] = [
    ["2001:0db8::0001", "2001:db8::1"], // no leading zeros
    ["2001:DB8::ABCD", "2001:db8::abcd"], // lower case
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"], // as short as it can be
    ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"], // not for one group alone
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"], // the longest run
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"], // the first of two
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ["::ffff:c000:0201", "::ffff:192.0.2.1"], // §5
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["::1.2.3.4", "::102:304"],
  ];
  for (const [text, canonical] of table) assert.equal(parseAddress(text), canonical, text);
});

test("what is no address is refused with its text", () => {
  const table = [
    "",
    " ",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    "1.2.3.0x4",
    "1.2.3.",
    "a.b.c.d",
    ":",
    ":::",
    "1:2",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1::",
    "12345::",
    "g::",
    ":1::2",
    "1::2:",
    "::1.2.3",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "fe80::1%eth0",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::1\n",
  ];
  for (const text of table) {
    assert.throws(() => parseAddress(text), isRefused, JSON.stringify(text));
    assert.throws(() => parseAddress(text), { message: `invalid address ${JSON.stringify(text)}` });
  }
});

test("a family that was asked for is the only one taken", () => {
  assert.equal(parseIpv4("10.0.0.1"), "10.0.0.1");
  assert.equal(parseIpv6("FD00::1"), "fd00::1");
  assert.throws(() => parseIpv4("fd00::1"), isRefused);
  assert.throws(() => parseIpv6("10.0.0.1"), isRefused);
});

test("an address survives text, bytes and integer", () => {
  fc.assert(
    fc.property(address, (one) => {
      assert.equal(parseAddress(one), one);
      assert.equal(addressFromBytes(addressToBytes(one)), one);
      assert.equal(addressFromBigInt(familyOf(one), addressToBigInt(one)), one);
    }),
  );
});

test("exactly what Node's own parser takes is an address", () => {
  const part = fc.constantFrom(
    "0",
    "1",
    "00",
    "255",
    "256",
    "ab",
    "FFFF",
    "10000",
    ".",
    ":",
    "::",
    "1.2.3.4",
    "g",
  );
  const text = fc.oneof(
    fc.array(part, { maxLength: 12 }).map((parts) => parts.join("")),
    address6,
    address4,
  );
  const parses = (one: string) => {
    try {
      parseAddress(one);
      return true;
    } catch (error) {
      assert.ok(isRefused(error));
      return false;
    }
  };
  fc.assert(
    fc.property(text, (one) => assert.equal(parses(one), isIP(one) !== 0)),
    { numRuns: 2000 },
  );
});

test("no text of the same address is shorter", () => {
  fc.assert(
    fc.property(address6, (one) => {
      const url = new URL(`http://[${one}]/`).hostname.slice(1, -1); // WHATWG wants the same but for embedded IPv4
      if (!one.includes(".")) assert.equal(one, url);
    }),
  );
});

test("sums stay in their family or are refused", () => {
  assert.equal(addToAddress(parseAddress("10.0.0.255"), 1), "10.0.1.0");
  assert.equal(addToAddress(parseAddress("fd00::"), -1n), "fcff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  assert.throws(() => addToAddress(parseAddress("255.255.255.255"), 1), isRefused);
  assert.throws(() => addToAddress(parseAddress("::"), -1), isRefused);
  assert.throws(() => addressFromBytes(new Uint8Array(5)), isRefused);
});

test("addresses are ordered by family and then by value", () => {
  fc.assert(
    fc.property(address, address, (a, b) => {
      const order = Math.sign(compareAddresses(a, b));
      assert.equal(order + Math.sign(compareAddresses(b, a)), 0);
      assert.equal(order === 0, a === b);
      if (familyOf(a) === familyOf(b)) assert.equal(order < 0, addressToBigInt(a) < addressToBigInt(b));
      else assert.equal(order < 0, familyOf(a) === 4);
    }),
  );
});

test("special addresses are told apart", () => {
  const kinds = (text: string) => {
    const one: IpAddress = parseAddress(text);
    return [isLinkLocal(one), isMulticast(one), isLoopback(one)];
  };
  const table: readonly (readonly [string, readonly boolean[]])[] = [
    ["169.254.0.1", [true, false, false]],
    ["169.253.0.1", [false, false, false]],
    ["fe80::1", [true, false, false]],
    ["febf::1", [true, false, false]],
    ["fec0::1", [false, false, false]],
    ["224.0.0.1", [false, true, false]],
    ["239.255.255.255", [false, true, false]],
    ["240.0.0.1", [false, false, false]],
    ["ff02::1", [false, true, false]],
    ["127.255.0.1", [false, false, true]],
    ["::1", [false, false, true]],
    ["::2", [false, false, false]],
  ];
  for (const [text, expected] of table) assert.deepEqual(kinds(text), expected, text);
});

test("reverse names are those of RFC 1035 and RFC 3596", () => {
  assert.equal(reverseName(parseAddress("192.0.2.5")), "5.2.0.192.in-addr.arpa");
  assert.equal(
    reverseName(parseAddress("2001:db8::567:89ab")),
    "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
  );
});
