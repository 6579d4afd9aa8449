import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkHostname,
  checkInterfaceName,
  checkName,
  checkResolverWord,
  freeInterfaceName,
} from "../../src/cnm/names.ts";
import { isWeftError } from "../../src/core/index.ts";

const invalid = (error: unknown) => isWeftError(error, "INVALID_NAME");

test("names are letters, digits, dots, hyphens and underscores after the first", () => {
  for (const name of ["a", "0", "a.b-c_d", "A".repeat(128)]) checkName("network", name);
  for (const name of ["", " ", ".a", "-a", "_a", "a/b", "a b", "ä", "a\n", "A".repeat(129)])
    assert.throws(() => checkName("network", name), invalid, JSON.stringify(name));
});

test("hostnames are labels of letters, digits and hyphens within", () => {
  for (const name of ["", "a", "a-b", "web.example.org", "a_b", "1"]) checkHostname("hostname", name);
  for (const name of ["-a", "a-", "a..b", ".a", "a.", "a b", "a\n", "x".repeat(65)])
    assert.throws(() => checkHostname("hostname", name), invalid, JSON.stringify(name));
});

test("interface names are at most 15 bytes that the kernel takes", () => {
  for (const name of ["eth0", "a", "wan-1.2", "x".repeat(15)]) checkInterfaceName(name);
  for (const name of ["", ".", "..", "a/b", "a b", "a:b", "ü", "x".repeat(16)])
    assert.throws(() => checkInterfaceName(name), invalid, JSON.stringify(name));
});

test("a word of resolv.conf has no blanks and no line ends", () => {
  for (const word of [".", "example.org", "ndots:2"]) checkResolverWord("option", word);
  for (const word of ["", "a b", "a\tb", "a\nb", "ä", "x".repeat(256)])
    assert.throws(
      () => checkResolverWord("option", word),
      (error) => isWeftError(error, "INVALID_OPTION"),
    );
});

test("the first free number is taken, until there is no room for one", () => {
  assert.equal(freeInterfaceName("eth", new Set()), "eth0");
  assert.equal(freeInterfaceName("eth", new Set(["eth0", "eth2"])), "eth1");
  const prefix = "x".repeat(14);
  const all = new Set(Array.from({ length: 10 }, (_, i) => `${prefix}${i}`));
  assert.throws(
    () => freeInterfaceName(prefix, all),
    (error) => isWeftError(error, "INTERFACE_NAME_IN_USE"),
  );
});
