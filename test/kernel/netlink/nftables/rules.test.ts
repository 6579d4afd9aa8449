import assert from "node:assert/strict";
import { test } from "node:test";
import {
  accept,
  addToSet,
  type Clause,
  concat,
  counter,
  ct,
  dnat,
  drop,
  fib,
  goBack,
  goTo,
  jhash,
  limit,
  log,
  map,
  masked,
  masquerade,
  match,
  meta,
  payload,
  payloadBits,
  redirect,
  reject,
  rule,
  setCt,
  setMeta,
  snat,
  type TableFamily,
  type Term,
  verdictMap,
  withBits,
} from "../../../../src/kernel/netlink/nftables/index.ts";
import { readCapture } from "./captures.ts";
import { understand } from "./from-messages.ts";

const language = understand(readCapture("language").messages).definition.chains.foreign?.rules ?? [];

/** Rules of test/fixtures/nftables/language.nft, by their place there. */
const sameAsNft: readonly (readonly [number, string, readonly Clause[]])[] = [
  [
    0,
    "a list with a range",
    [match(payload("tcp dport"), "==", [80, 443, { from: 8000, to: 8010 }]), accept],
  ],
  [1, "what presupposes two protocols", [match(payload("icmpv6 type"), "==", 135), accept]],
  [2, "a link address", [match(payload("ether saddr"), "==", "02:42:00:00:00:01"), setMeta("mark", 1)]],
  [
    4,
    "counters, limits and logs",
    [match(payload("tcp flags"), "==", "syn"), counter(), limit(10, 1), log("hi", 6)],
  ],
  [5, "some bits of a mark", [match(masked(meta("mark"), 0x1000000), "==", 0x1000000), accept]],
  [6, "a mark with a bit more", [setMeta("mark", withBits(meta("mark"), 0x1000000))]],
  [7, "a mark for the flow", [setCt("mark", meta("mark"))]],
  [8, "the mark of the flow", [setMeta("mark", ct("mark"))]],
  [
    9,
    "a redirection",
    [match(payload("ip daddr"), "==", "1.2.3.4"), match(payload("tcp dport"), "==", 1), redirect(80)],
  ],
  [10, "a verdict map of the table", [verdictMap(meta("nfproto"), "v")]],
  [
    11,
    "a verdict map of the rule",
    [
      verdictMap(payload("tcp dport"), [
        { key: [22], data: accept },
        { key: [23], data: drop },
      ]),
    ],
  ],
  [12, "a set that grows", [addToSet("t", payload("ip saddr"), { timeoutMs: 10_000 })]],
  [13, "a reset", [match(payload("ip protocol"), "==", "tcp"), reject("tcp-reset")]],
  [
    14,
    "a prefix that ends inside a byte",
    [match(payload("ip6 saddr"), "==", "fe80::/10"), masquerade("random")],
  ],
  [
    15,
    "a range of ports to leave by",
    [match(meta("l4proto"), "==", "tcp"), snat("ip", { address: "1.2.3.4", port: { from: 1000, to: 2000 } })],
  ],
  [
    17,
    "directions of a flow",
    [match(ct("direction"), "==", "original"), match(ct("ip saddr", "original"), "==", "1.2.3.4"), goBack],
  ],
  [18, "another chain for good", [goTo("other")]],
  [20, "anything but", [match(payload("tcp dport"), "!=", 80), drop]],
  [21, "none of a list", [match(payload("ip daddr"), "!=", ["1.1.1.1", "2.2.2.2"]), drop]],
  [22, "names that begin so", [match(meta("iifname"), "==", "br*"), drop]],
  [24, "no way back", [match(fib(["saddr", "iif"], "present"), "==", "missing"), drop]],
  [
    31,
    "what came by IPsec",
    [match(payload("udp dport"), "==", 4789), match(meta("secpath"), "==", "exists"), accept],
  ],
  [34, "one bit of a state", [match(ct("state"), "has", "invalid"), drop]],
  [35, "not just one state", [match(ct("state"), "!=", "new"), drop]],
  [38, "a port of whatever protocol", [match(payload("th dport"), "==", 53), drop]],
];

for (const [index, what, clauses] of sameAsNft) {
  test(`as nft compiles it: ${what}`, () => {
    const expected = language[index]?.steps ?? [];
    const mine = rule("inet", clauses).steps;
    // nft notes that a flag is one of several, where the whole byte is compared here.
    const comparable = index === 4 ? expected.filter(({ kind }) => kind !== "mask") : expected;
    assert.deepEqual(mine, index === 4 ? comparable : expected);
  });
}

const kinds = (family: TableFamily, clauses: readonly Clause[]) =>
  rule(family, clauses).steps.map((step) => (step.kind === "meta" ? `meta ${step.key}` : step.kind));

test("what a field presupposes is asked once", () => {
  const clauses = [
    match(payload("ip saddr"), "==", "10.0.0.1"),
    match(payload("ip daddr"), "==", "10.0.0.2"),
    match(payload("tcp dport"), "==", 1),
    match(payload("tcp sport"), "==", 2),
  ];
  const asked = kinds("inet", clauses).filter((kind) => kind.startsWith("meta"));
  assert.deepEqual(asked, ["meta nfproto", "meta l4proto"]);
});

test("what the author asks is not asked again, and what the family says is not asked at all", () => {
  const port = match(payload("udp dport"), "==", 53);
  assert.deepEqual(kinds("inet", [match(meta("l4proto"), "==", "udp"), port]), [
    "meta l4proto",
    "cmp",
    "payload",
    "cmp",
  ]);
  assert.deepEqual(kinds("ip6", [match(payload("ip6 saddr"), "==", "::1")]), ["payload", "cmp"]);
  const bridged = kinds("bridge", [match(payload("ip saddr"), "==", "10.0.0.1")]);
  assert.deepEqual(bridged, ["meta protocol", "cmp", "payload", "cmp"]);
});

test("what is hashed or looked up presupposes the same", () => {
  const hashed = setMeta("mark", jhash(payload("ip6 saddr"), 16));
  assert.deepEqual(kinds("inet", [hashed]), ["meta nfproto", "cmp", "payload", "jhash", "meta-set"]);
  const mapped = dnat("ip6", map(payload("ip6 daddr"), "m"), { data: "address" });
  assert.deepEqual(kinds("inet", [mapped]), ["meta nfproto", "cmp", "payload", "lookup", "nat"]);
});

const long: Term = concat(...Array.from({ length: 5 }, () => meta("iifname")));

const nonsense: readonly (readonly [string, TableFamily, () => readonly Clause[]])[] = [
  ["IPv6 in a table of IPv4", "ip", () => [match(payload("ip6 saddr"), "==", "::1")]],
  [
    "UDP after TCP",
    "inet",
    () => [match(payload("tcp dport"), "==", 1), match(payload("udp dport"), "==", 1)],
  ],
  ["an address as port", "inet", () => [match(payload("th dport"), "==", "10.0.0.1")]],
  ["a name that is no bit", "inet", () => [match(ct("status"), "has", "broken")]],
  ["less than a set", "inet", () => [match(payload("th dport"), "<", { set: "s" })]],
  ["one value for two", "inet", () => [match(concat(meta("iif"), meta("oif")), "==", 1)]],
  ["a key that is too long", "inet", () => [match(long, "in", { set: "s" })]],
  ["half a byte", "inet", () => [match(payloadBits("network", 4, 4), "==", 1)]],
  ["a range the wrong way round", "inet", () => [redirect({ from: 2, to: 1 })]],
  ["a mark from a map of who knows what", "inet", () => [match(map(meta("iif"), "m"), "==", 1)]],
];

for (const [what, family, clauses] of nonsense)
  test(`refused: ${what}`, () => {
    assert.throws(() => rule(family, clauses()), RangeError);
  });
