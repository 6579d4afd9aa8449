import assert from "node:assert/strict";
import { test } from "node:test";
import { FixedFacts, type ForeignChain, LinuxFacts } from "../../src/facts/index.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";

/** The chains that facts tell of, `ip filter FORWARD: drops`. */
async function chainsOf(prepare: (host: TestNetns) => void): Promise<readonly string[]> {
  let told: readonly ForeignChain[] = [];
  await withNetns(["host"], ({ host }) => {
    const facts = new LinuxFacts(host.path);
    try {
      assert.deepEqual(facts.foreignForwardChains(), []);
      prepare(host);
      told = facts.foreignForwardChains();
    } finally {
      facts.close();
    }
  });
  return told
    .map(({ family, table, chain, drops }) => `${family} ${table} ${chain}: ${drops ? "drops" : "passes"}`)
    .sort();
}

const nft = (...lines: readonly string[]) => {
  const chain = (policy: string) => `{ type filter hook forward priority 0; policy ${policy}; }`;
  const script = ["add table inet t", `add chain inet t f ${chain("accept")}`, ...lines];
  return (host: TestNetns) => {
    for (const line of script) host.exec("nft", line);
  };
};
const iptables = (...lines: readonly string[]) => {
  return (host: TestNetns) => {
    for (const line of lines) host.exec("iptables", ...line.split(" "));
  };
};
const f = (rule: string) => `add rule inet t f ${rule}`;

const rows: readonly (readonly [string, (host: TestNetns) => void, readonly string[]])[] = [
  ["weft's own table", ownTable, []],
  ["a chain that has no rules", nft(), ["inet t f: passes"]],
  ["a policy", iptables("-P FORWARD DROP"), ["ip filter FORWARD: drops"]],
  ["iptables that accepts", iptables("-A FORWARD -j ACCEPT"), ["ip filter FORWARD: passes"]],
  [
    "iptables that rejects at the end of a jump",
    iptables("-N A", "-N B", "-A FORWARD -s 10.0.0.0/8 -j A", "-A A -j B", "-A B -j REJECT"),
    ["ip filter FORWARD: drops"],
  ],
  [
    "iptables with a drop where nothing leads to",
    iptables("-N A", "-A A -j DROP", "-A FORWARD -j RETURN"),
    ["ip filter FORWARD: passes"],
  ],
  [
    "targets of iptables' own",
    iptables("-A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"),
    ["ip filter FORWARD: passes"],
  ],
  ["a queue", iptables("-A FORWARD -j NFQUEUE --queue-num 1"), ["ip filter FORWARD: drops"]],
  ["a drop", nft(f("ip saddr 10.0.0.0/8 drop")), ["inet t f: drops"]],
  ["a reject", nft(f("counter reject with icmpx type admin-prohibited")), ["inet t f: drops"]],
  [
    "a goto to a drop, and a circle that is none",
    nft(
      "add chain inet t a",
      "add chain inet t b",
      f("goto a"),
      f("jump a"),
      "add rule inet t a jump b",
      "add rule inet t b drop",
    ),
    ["inet t f: drops"],
  ],
  [
    "a map of verdicts, whatever it holds",
    nft("add map inet t m { type mark : verdict; }", f("meta mark vmap @m")),
    ["inet t f: drops"],
  ],
  [
    "a map of values",
    nft("add map inet t m { type mark : mark; }", f("meta mark set meta mark map @m accept")),
    ["inet t f: passes"],
  ],
  ["a table that sleeps", nft(f("drop"), "add table inet t { flags dormant; }"), []],
  [
    "other hooks, families and types",
    (host) => {
      host.exec("iptables", "-P", "INPUT", "DROP");
      host.exec(
        "nft",
        "add table bridge b; add chain bridge b f { type filter hook forward priority 0; policy drop; }",
      );
      host.exec("nft", "add table ip n; add chain ip n p { type nat hook prerouting priority 0; }");
      host.exec("ip6tables", "-P", "FORWARD", "DROP");
    },
    ["ip6 filter FORWARD: drops"],
  ],
];

function ownTable(host: TestNetns): void {
  host.exec(
    "nft",
    "add table inet weft; add chain inet weft f { type filter hook forward priority 0; policy drop; }",
  );
}

for (const [what, prepare, expected] of rows)
  test(`chains of others on the forward hook: ${what}`, async () => {
    assert.deepEqual(await chainsOf(prepare), expected);
  });

test("facts that are given tell what they were given", () => {
  const facts = new FixedFacts();
  assert.deepEqual(facts.foreignForwardChains(), []);
  facts.foreignChains = [{ family: "ip", table: "filter", chain: "FORWARD", drops: true }];
  assert.deepEqual(facts.foreignForwardChains(), facts.foreignChains);
});
