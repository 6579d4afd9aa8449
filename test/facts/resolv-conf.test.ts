import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseAddress } from "../../src/core/index.ts";
import { parseResolvConf, type ResolvConf } from "../../src/facts/index.ts";

const servers = (...addresses: readonly string[]) =>
  addresses.map((address) => ({ address: parseAddress(address) }));

test("a resolv.conf is read as resolv.conf(5) says", () => {
  const table: readonly (readonly [string, Partial<ResolvConf>])[] = [
    ["", {}],
    ["nameserver 192.0.2.1\nnameserver\t2001:DB8::1\n", { nameservers: servers("192.0.2.1", "2001:db8::1") }],
    ["nameserver 192.0.2.1 # the first\n", { nameservers: servers("192.0.2.1") }],
    ["nameserver fe80::1%eth0", { nameservers: [{ address: parseAddress("fe80::1"), zone: "eth0" }] }],
    ["nameserver 192.0.2.1\r\nsearch a\r\n", { nameservers: servers("192.0.2.1"), search: ["a"] }],
    ["nameserver\nnameserver dns.example\nnameserver 1.2.3\n", {}],
    ["# nameserver 192.0.2.1\n; search x\n#\n", {}],
    ["search a.example b.example\n", { search: ["a.example", "b.example"] }],
    ["search a.example\nsearch b.example\n", { search: ["b.example"] }],
    ["search a.example\ndomain c.example more\n", { search: ["c.example"] }],
    ["options ndots:2\noptions rotate timeout:1\n", { options: ["ndots:2", "rotate", "timeout:1"] }],
    ["sortlist 130.155.0.0\nnameservers 192.0.2.1\n", {}],
  ];
  for (const [text, expected] of table)
    assert.deepEqual(parseResolvConf(text), { nameservers: [], search: [], options: [], ...expected }, text);
});

test("no text is too odd to be read", () => {
  const word = fc.constantFrom(
    "nameserver",
    "search",
    "options",
    "domain",
    " ",
    "\t",
    "\n",
    "%",
    "::",
    "1.2.3.4",
    "#",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word).map((words) => words.join("")),
      ),
      (text) => {
        const { nameservers } = parseResolvConf(text);
        for (const { address } of nameservers) assert.doesNotMatch(address, /[%\s]/);
      },
    ),
  );
});
