import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressFromBytes, reverseName } from "../../src/core/index.ts";
import { addressOfReverseName, isPrivateReverseName } from "../../src/dns/reverse-name.ts";

test("a reverse name gives the address it was made from", () => {
  const bytes = fc.constantFrom(4, 16).chain((n) => fc.uint8Array({ minLength: n, maxLength: n }));
  fc.assert(
    fc.property(bytes, (value) => {
      const address = addressFromBytes(value);
      assert.equal(addressOfReverseName(reverseName(address)), address);
    }),
  );
});

test("other names give none", () => {
  const names = [
    "in-addr.arpa",
    "1.in-addr.arpa",
    "1.2.3.4.5.in-addr.arpa",
    "256.0.0.10.in-addr.arpa",
    "01.0.0.10.in-addr.arpa",
    "x.0.0.10.in-addr.arpa",
    ".0.0.10.in-addr.arpa",
    "1.0.0.10.in-addr.arpa.example",
    `${"0.".repeat(31)}ip6.arpa`,
    `g.${"0.".repeat(31)}ip6.arpa`,
    `10.${"0.".repeat(31)}ip6.arpa`,
    "",
  ];
  for (const name of names) assert.equal(addressOfReverseName(name), undefined, name);
});

test("private zones end where their prefixes do", () => {
  const table: readonly (readonly [address: string, isPrivate: boolean])[] = [
    ["10.255.0.1", true],
    ["11.0.0.1", false],
    ["172.15.0.1", false],
    ["172.16.0.1", true],
    ["172.31.255.1", true],
    ["172.32.0.1", false],
    ["192.168.4.4", true],
    ["192.167.4.4", false],
    ["100.64.0.1", true],
    ["100.127.0.1", true],
    ["100.128.0.1", false],
    ["127.0.0.1", true],
    ["169.254.1.1", true],
    ["8.8.8.8", false],
  ];
  for (const [address, isPrivate] of table) {
    const name = `${address.split(".").reverse().join(".")}.in-addr.arpa`;
    assert.equal(isPrivateReverseName(name), isPrivate, address);
  }
  const v6 = (hex: string) => `${[...hex.padEnd(32, "0")].reverse().join(".")}.ip6.arpa`;
  for (const hex of ["fd00", "fc12", "fe80", "febf", "20010db8"]) {
    assert.equal(isPrivateReverseName(v6(hex)), true, hex);
  }
  for (const hex of ["fec0", "fe7f", "20010db9", "2a00", "fb00"]) {
    assert.equal(isPrivateReverseName(v6(hex)), false, hex);
  }
  assert.equal(isPrivateReverseName(v6("1".padStart(32, "0"))), true);
  assert.equal(isPrivateReverseName("168.192.in-addr.arpa"), true);
  assert.equal(isPrivateReverseName("10.example"), false);
});
