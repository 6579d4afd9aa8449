import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  isWeftError,
  macFromBytes,
  macFromIpv4,
  macToBytes,
  parseIpv4,
  parseMac,
  randomMac,
} from "../../src/core/index.ts";

test("a MAC address is read with colons or hyphens, and written in lower case with colons", () => {
  assert.equal(parseMac("02:42:AC:11:00:02"), "02:42:ac:11:00:02");
  assert.equal(parseMac("02-42-ac-11-00-02"), "02:42:ac:11:00:02");
});

test("what no link can have is refused", () => {
  const table = [
    "",
    "02:42:ac:11:00",
    "02:42:ac:11:00:02:03",
    "02:42:ac:11:00:0g",
    "02:42-ac:11-00:02",
    "0242.ac11.0002",
    "01:00:5e:00:00:01",
    "ff:ff:ff:ff:ff:ff",
    "00:00:00:00:00:00",
    "02:42:ac:11:00:02\n",
  ];
  for (const text of table)
    assert.throws(
      () => parseMac(text),
      (error) => isWeftError(error, "INVALID_MAC"),
      text,
    );
  assert.throws(
    () => macFromBytes(new Uint8Array(5)),
    (error) => isWeftError(error, "INVALID_MAC"),
  );
});

test("bytes and text are the same address, and random ones are unicast and local", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
      assert.deepEqual(Uint8Array.from(macToBytes(macFromBytes(bytes))), bytes);
      const [first = 0] = macToBytes(randomMac({ bytes: () => bytes }));
      assert.equal(first & 3, 2);
    }),
  );
});

test("the address of an IPv4 address is 02:42 and its bytes", () => {
  assert.equal(macFromIpv4(parseIpv4("172.17.0.2")), "02:42:ac:11:00:02");
});
