import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../src/core/index.ts";
import { FixedFacts, isForwarding, nameserverPrefixes } from "../../src/facts/index.ts";

test("a host forwards when its sysctl says anything but 0", () => {
  const facts = new FixedFacts();
  assert.deepEqual([isForwarding(facts, 4), isForwarding(facts, 6)], [false, false]);
  facts.sysctls.set("net/ipv4/ip_forward", "1").set("net/ipv6/conf/all/forwarding", "2");
  assert.deepEqual([isForwarding(facts, 4), isForwarding(facts, 6)], [true, true]);
  facts.sysctls.clear();
  assert.equal(isForwarding(facts, 6), false, "a kernel without IPv6");
});

test("name servers are prefixes of one address", () => {
  assert.deepEqual(nameserverPrefixes(["192.0.2.1", "2001:db8::1"].map(parseAddress)), [
    "192.0.2.1/32",
    "2001:db8::1/128",
  ]);
});

test("links forward that are said to, one by one", () => {
  const facts = new FixedFacts();
  for (const name of ["eth1", "eth0.5", "lo", "all", "default"])
    facts.sysctls.set(`net/ipv4/conf/${name}/forwarding`, "1");
  facts.sysctls.set("net/ipv4/conf/eth2/forwarding", "0");
  assert.deepEqual(facts.linksWith(4, "forwarding"), ["eth0.5", "eth1"]);
  assert.deepEqual(facts.linksWith(6, "forwarding"), []);
});
