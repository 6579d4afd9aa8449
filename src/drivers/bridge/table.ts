import { hostNetns, type NftElementObject, type NftTableObject, tableName } from "../../kernel/index.ts";
import { nftables } from "../../kernel/netlink/index.ts";

const {
  accept,
  concat,
  ct,
  drop,
  jump,
  masquerade,
  match,
  meta,
  payload,
  priorities,
  rules,
  set,
  verdictMap,
} = nftables;

const iifname = meta("iifname");
const oifname = meta("oifname");

/** The sets of the host's table; they grow with networks, the rules do not. */
const sets = {
  /** weft's bridges. */
  ifs: { key: ["ifname"] },
  /** Pairs of bridges that may talk: a bridge with itself. */
  icc: { key: ["ifname", "ifname"] },
  /** Bridges of internal networks: nothing but their own traffic. */
  internal: { key: ["ifname"] },
  /** Subnets that leave by the host's address. */
  masq4: { key: ["ipv4_addr"], interval: true },
  masq6: { key: ["ipv6_addr"], interval: true },
  /** What becomes of traffic that weft has no part in: dropped where weft made the host a router. */
  foreign: { key: ["nf_proto"], data: "verdict" },
} as const satisfies Readonly<Record<string, nftables.SetType>>;

const chains: Readonly<Record<string, nftables.ChainDefinition>> = {
  forward: {
    hook: { type: "filter", hook: "forward", priority: priorities.filter, policy: "accept" },
    rules: rules("inet", [
      [match(iifname, "!=", set("ifs")), match(oifname, "!=", set("ifs")), jump("not-ours")],
      [match(ct("state"), "has", ["established", "related"]), accept],
      [match(ct("status"), "has", "dnat"), accept],
      [match(concat(iifname, oifname), "in", set("icc")), accept],
      [match(iifname, "in", set("internal")), drop],
      [match(oifname, "in", set("ifs")), drop],
    ]),
  },
  "not-ours": { rules: rules("inet", [[verdictMap(meta("nfproto"), "foreign")], [accept]]) },
  postrouting: {
    hook: { type: "nat", hook: "postrouting", priority: priorities.srcnat, policy: "accept" },
    rules: rules("inet", [
      [match(payload("ip saddr"), "in", set("masq4")), match(oifname, "!=", set("ifs")), masquerade()],
      [match(payload("ip6 saddr"), "in", set("masq6")), match(oifname, "!=", set("ifs")), masquerade()],
    ]),
  },
};

/**
 * The host's table: isolation of networks from each other and from neighbours, and the way out. Constant;
 * wanted by every bridge network. The rules were tried by hand first: foreign traffic is not judged,
 * established and DNATed flows pass, pairs of the ICC set pass, anything else towards a bridge is dropped.
 */
export const bridgeTable: NftTableObject = {
  kind: "nft-table",
  netns: hostNetns,
  definition: { family: "inet", table: tableName, sets, chains },
};

/** An element of one of the table's sets. */
export function element(
  name: keyof typeof sets,
  key: readonly string[],
  more: Omit<nftables.SetElement, "key"> = {},
): NftElementObject {
  return {
    kind: "nft-element",
    netns: hostNetns,
    family: "inet",
    table: tableName,
    set: name,
    type: sets[name],
    element: { key, ...more },
  };
}
