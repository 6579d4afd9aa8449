import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, hostNetns, LinuxKernel, type NftTableObject } from "../../../src/kernel/index.ts";
import { nftables } from "../../../src/kernel/netlink/index.ts";
import { type TestNetns, withNetns } from "../../netns-fixture.ts";

const { accept, drop, goBack, jump, match, meta, rule, set, verdictMap } = nftables;

type Definition = NftTableObject["definition"];

const forward = { type: "filter", hook: "forward", priority: 0, policy: "accept" } as const;

const first: Definition = {
  family: "inet",
  table: "weft",
  comment: "first",
  sets: {
    ifs: { key: ["ifname"] },
    nets: { key: ["ipv4_addr"] },
    verdicts: { key: ["nf_proto"], data: "verdict" },
  },
  chains: {
    forward: {
      hook: forward,
      rules: [
        rule("inet", [jump("user")]),
        rule("inet", [match(meta("iifname"), "in", set("ifs")), jump("inner")]),
        rule("inet", [verdictMap(meta("nfproto"), "verdicts")]),
      ],
    },
    inner: { rules: [rule("inet", [goBack])] },
    user: { rules: [], kept: true },
  },
};

/** All that another version of weft may do otherwise. */
const second: Definition = {
  ...first,
  comment: "second",
  sets: {
    ifs: { key: ["ifname"] },
    nets: { key: ["ipv6_addr"], interval: true },
    verdicts: { key: ["nf_proto"], data: "verdict" },
    more: { key: ["mark"] },
  },
  chains: {
    forward: {
      hook: { ...forward, priority: 5 },
      rules: [rule("inet", [jump("user")]), rule("inet", [jump("other")])],
    },
    other: { rules: [rule("inet", [drop])], comment: "new" },
    inner: { rules: [rule("inet", [accept])], comment: "another" },
    user: { rules: [], kept: true },
    output: { hook: { ...forward, hook: "output" }, rules: [] },
  },
};

const table = (definition: Definition): NftTableObject => ({
  kind: "nft-table",
  netns: hostNetns,
  definition,
});

const user = `
  add set inet weft mine { type ipv4_addr; }
  add element inet weft mine { 192.0.2.9 }
  add chain inet weft deeper
  add rule inet weft deeper counter drop
  add rule inet weft user ip saddr @mine jump deeper
  add rule inet weft user iifname @ifs tcp dport { 22, 80-90 } limit rate 5/second accept comment "mine"
  add rule inet weft user meta l4proto vmap { tcp : jump deeper, udp : drop }
`;

/** What the user has put there, as nft lists it. */
const usersPart = (host: TestNetns) =>
  ["chain inet weft user", "chain inet weft deeper", "set inet weft mine"].map((what) =>
    host.exec("nft", `list ${what}`),
  );

const state = async (kernel: LinuxKernel, definition: Definition) => {
  const found = await kernel.read({ namespaces: [hostNetns], lookUp: [] });
  const there = found.flatMap(({ object }) => (object.kind === "nft-table" ? [object] : []))[0];
  return there === undefined ? "absent" : compare(table(definition), there);
};

test("the user's chain outlives any other definition of the table, with all that its rules use", () =>
  withNetns(["host"], async ({ host }) => {
    const kernel = new LinuxKernel(host.path);
    try {
      const made = await kernel.apply([{ op: "create", object: table(first) }]);
      assert.deepEqual(made, [undefined]);
      for (const line of user.trim().split("\n")) host.exec("nft", line.trim());
      const before = usersPart(host);
      assert.equal(await state(kernel, first), "none");
      host.exec("nft", "add element inet weft verdicts { ipv4 : jump inner }");
      host.exec("nft", "add chain inet weft theirs { type filter hook input priority 0; }");
      assert.equal(await state(kernel, first), "rebuild", "a base chain of somebody's has no place in it");
      for (const [to, from] of [
        [second, first],
        [first, second],
        [first, first],
      ] as const) {
        const [outcome] = await kernel.apply([{ op: "change", object: table(to), former: table(from) }]);
        assert.equal(outcome, undefined);
        assert.equal(await state(kernel, to), "none");
        assert.deepEqual(usersPart(host), before);
        assert.doesNotMatch(host.exec("nft", "list ruleset"), /chain theirs|elements = \{ ipv4/);
      }
      host.exec("nft", "add table inet weft { flags dormant; }");
      assert.equal(await state(kernel, first), "rebuild", "a table that sleeps");
      await kernel.apply([{ op: "change", object: table(first), former: table(first) }]);
      assert.equal(await state(kernel, first), "none");
      assert.deepEqual(usersPart(host), before);
      await kernel.apply([{ op: "delete", object: table(first) }]);
      assert.equal(host.exec("nft", "list ruleset"), "");
    } finally {
      kernel.close();
    }
  }));

test("a table that lost the user's chain gets it anew, and one that had none too", () =>
  withNetns(["host"], async ({ host }) => {
    const kernel = new LinuxKernel(host.path);
    try {
      const { user: _user, ...others } = first.chains;
      const withoutIt = { ...first, chains: { ...others, forward: { hook: forward, rules: [] } } };
      await kernel.apply([{ op: "create", object: table(withoutIt) }]);
      assert.equal(await state(kernel, first), "rebuild");
      const change = { op: "change", object: table(first), former: table(withoutIt) } as const;
      assert.deepEqual(await kernel.apply([change]), [undefined]);
      assert.equal(await state(kernel, first), "none");
      host.exec("nft", "flush chain inet weft forward");
      host.exec("nft", "delete chain inet weft user");
      assert.equal(await state(kernel, first), "rebuild");
      assert.deepEqual(await kernel.apply([change]), [undefined]);
      assert.equal(await state(kernel, first), "none");
    } finally {
      kernel.close();
    }
  }));
