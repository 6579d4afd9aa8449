import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isDropped, TraceLines } from "./trace-lines.ts";

const packet = (addresses: string) =>
  `packet: iif "up0" oif "front0" ether saddr ce:67:78:0a:52:80 ether daddr 26:e2:0d:73:ad:9f ${addresses} ` +
  "ip dscp cs0 ip ecn not-ect ip ttl 63 ip id 518 ip protocol udp ip length 33 udp sport 40000 udp dport 80 " +
  "udp length 13 @th,64,40 0x68656c6c6f ";
const headers = {
  iif: "up0",
  oif: "front0",
  source: "192.0.2.2",
  sourcePort: 40_000,
  destination: "10.1.0.2",
  destinationPort: 80,
  payload: "68656c6c6f",
};

/** What nft 1.0.6 printed. */
function visitsOf(...lines: readonly string[]) {
  const trace = new TraceLines();
  for (const line of lines) trace.add(line);
  return trace.visits;
}

suite("lines of nft monitor trace", () => {
  test("tell the rules that a packet matched, in all chains that it was led to", () => {
    const [visit, ...others] = visitsOf(
      `trace id efef3a28 inet weft forward ${packet("ip saddr 192.0.2.2 ip daddr 10.1.0.2")}`,
      "trace id efef3a28 inet weft forward rule jump user (verdict jump user)",
      "trace id efef3a28 inet weft user rule ip saddr 192.0.2.2 drop (verdict drop)",
    );
    assert.deepEqual(others, []);
    assert.ok(visit);
    assert.deepEqual(visit, {
      family: "inet",
      table: "weft",
      chain: "forward",
      packet: headers,
      matched: [
        { chain: "forward", rule: "jump user", verdict: "jump user" },
        { chain: "user", rule: "ip saddr 192.0.2.2 drop", verdict: "drop" },
      ],
      policy: undefined,
    });
    assert.equal(isDropped(visit), true);
  });

  test("tell a policy, with more behind it", () => {
    const [visit] = visitsOf(
      `trace id efef3a28 inet weft raw ${packet("ip6 saddr 2001:db8::2 ip6 daddr fd00:1::2")}`,
      "trace id efef3a28 inet weft raw policy accept meta mark 0x01000000 ",
    );
    assert.ok(visit);
    assert.deepEqual([visit.policy, isDropped(visit)], ["accept", false]);
    assert.deepEqual([visit.packet.source, visit.packet.destination], ["2001:db8::2", "fd00:1::2"]);
  });

  test("are refused when nft does not know the rule, and passed over from the middle of a chain", () => {
    assert.deepEqual(visitsOf("trace id efef3a28 inet weft raw policy accept "), []);
    assert.throws(
      () => visitsOf("trace id fab9745e inet weft user unknown rule handle 76 (verdict drop)"),
      /unknown rule handle 76/,
    );
  });
});
