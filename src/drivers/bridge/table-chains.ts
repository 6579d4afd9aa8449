import { acceptMark, sandboxMark } from "../../kernel/index.ts";
import { nftables } from "../../kernel/netlink/index.ts";
import { portChains } from "../../ports/index.ts";

const {
  accept,
  concat,
  ct,
  drop,
  expressionClause,
  fib,
  goBack,
  goTo,
  jump,
  map,
  masked,
  masquerade,
  match,
  meta,
  payload,
  priorities,
  rules,
  set,
  setMeta,
  snat,
  verdictMap,
  withBits,
} = nftables;

/** The users' own chain: weft makes it empty, jumps to it first, and never writes it. */
export const userChain = "user";

const iifname = meta("iifname");
const oifname = meta("oifname");
const outOfOurs = match(oifname, "in", set("ifs"));
const outOfOthers = match(oifname, "!=", set("ifs"));
const fromOurs = match(iifname, "in", set("ifs"));
const fromOthers = match(iifname, "!=", set("ifs"));
const fromInternal = match(iifname, "in", set("internal"));
/**
 * It came by the port to the underlay, or a bridge passed it on from one port to another: on a plumbed bridge
 * sandboxTable marks what sandboxes send to the host.
 */
const fromUnderlay = [
  match(iifname, "in", set("plumbed")),
  match(masked(meta("mark"), sandboxMark), "==", 0),
] as const;
/** No answer to the sender would leave by the interface that the packet came by: its source is not its own. */
const isSpoofed = match(fib(["saddr", "iif"], "present"), "==", "missing");
const notrack = expressionClause({ kind: "unknown", name: "notrack" });
const isNat = match(ct("status"), "has", "dnat");
const isEstablished = match(ct("state"), "has", "established");
const isRelated = match(ct("state"), "has", "related");
const isInvalid = match(ct("state"), "has", "invalid");
const port = [meta("l4proto"), payload("th dport")] as const;

/**
 * What passes through the host. One step before other people's chains, for what is weft's to judge gets
 * the mark that a rule of weft's in theirs accepts. What is dropped here stays dropped.
 */
const forward: nftables.ChainDefinition = {
  hook: { type: "filter", hook: "forward", priority: priorities.filter - 1, policy: "accept" },
  rules: rules("inet", [
    [jump(userChain)],
    [fromOthers, outOfOthers, goTo("not-ours")],
    [...fromUnderlay, outOfOthers, jump("neighbours")],
    [setMeta("mark", withBits(meta("mark"), acceptMark))],
    [match(concat(iifname, oifname), "in", set("icc")), accept],
    [...fromUnderlay, match(concat(iifname, oifname), "in", set("segment")), accept],
    // What is spoofed belongs to no flow; see raw.
    [isEstablished, accept],
    [fromOurs, isSpoofed, jump("spoofed")],
    [isRelated, goTo("related")],
    [fromInternal, drop],
    // It would leave under the sandbox's own address: what is in no flow is not rewritten.
    [fromOurs, isInvalid, drop],
    // IPv6 does not refuse a neighbour's packet that comes from the host, or so it says.
    [match(fib("saddr", "type"), "==", "local"), drop],
    [isNat, accept],
    [match(concat(payload("ip daddr"), ...port), "in", set("open4")), accept],
    [match(concat(payload("ip6 daddr"), ...port), "in", set("open6")), accept],
    [match(concat(iifname, payload("ip daddr"), ...port), "in", set("trusted4")), accept],
    [match(concat(iifname, payload("ip6 daddr"), ...port), "in", set("trusted6")), accept],
    [match(concat(oifname, meta("nfproto")), "in", set("unprotected")), accept],
    [
      match(meta("l4proto"), "==", ["icmp", "icmpv6"]),
      match(concat(oifname, meta("nfproto")), "in", set("routed")),
      accept,
    ],
    [outOfOurs, drop],
  ]),
};

/**
 * What sandboxes send to the host itself: under their own addresses, and not to the address of another
 * network's bridge; from an internal network to its own bridge alone, and to no published port.
 */
const input: nftables.ChainDefinition = {
  hook: { type: "filter", hook: "input", priority: priorities.filter, policy: "accept" },
  rules: rules("inet", [
    [fromOthers, accept],
    [isEstablished, accept],
    [...fromUnderlay, accept],
    // Those who ask for an address by DHCP, or whether theirs is free (RFC 4862 §5.4.2), have none yet.
    [match(payload("ip saddr"), "!=", "0.0.0.0"), isSpoofed, drop],
    [match(payload("ip6 saddr"), "!=", "::"), isSpoofed, drop],
    [isRelated, goTo("related")],
    [
      match(payload("ip daddr"), "in", set("bridges4")),
      match(fib(["daddr", "iif"], "type"), "!=", "local"),
      drop,
    ],
    [
      match(payload("ip6 daddr"), "in", set("bridges6")),
      match(fib(["daddr", "iif"], "type"), "!=", "local"),
      drop,
    ],
    // An anycast address of a subnet (RFC 4291 §2.6.1) is every bridge's, and not in those sets.
    [match(fib(["daddr", "iif"], "type"), "==", "anycast"), drop],
    [fromInternal, match(fib(["daddr", "iif"], "type"), "==", "unicast"), drop],
    [fromInternal, match(concat(...port), "in", set("reserved")), drop],
  ]),
};

/**
 * What tells of a flow without being part of it, an ICMP error: from a sandbox it passes if the flow is of
 * its own network.
 */
const related: nftables.ChainDefinition = {
  rules: rules("inet", [
    [fromOthers, accept],
    [...fromUnderlay, accept],
    [match(concat(iifname, ct("ip saddr", "original")), "in", set("own4")), accept],
    [match(concat(iifname, ct("ip saddr", "reply")), "in", set("own4")), accept],
    [match(concat(iifname, ct("ip6 saddr", "original")), "in", set("own6")), accept],
    [match(concat(iifname, ct("ip6 saddr", "reply")), "in", set("own6")), accept],
    [drop],
  ]),
};

/**
 * 127.0.0.0/8 belongs to the host's own programs, also where a bridge routes it for a published port. A
 * spoofed packet makes no flow: else a sandbox could send itself one in the name of another, and then its
 * own to that one would pass as the answer. It is not dropped here, for on one bridge it may pass.
 */
const raw: nftables.ChainDefinition = {
  hook: { type: "filter", hook: "prerouting", priority: priorities.raw, policy: "accept" },
  rules: rules("inet", [
    [match(payload("ip daddr"), "==", "127.0.0.0/8"), match(iifname, "!=", "lo"), drop],
    [match(payload("ip saddr"), "==", "127.0.0.0/8"), match(iifname, "!=", "lo"), drop],
    [...fromUnderlay, accept],
    [fromOurs, isSpoofed, notrack],
  ]),
};

/** Nobody but a sandbox begins a flow in a sandbox's name. A chain of this type sees each flow's first packet alone. */
const strangers: nftables.ChainDefinition = {
  hook: { type: "nat", hook: "prerouting", priority: priorities.dstnat - 1, policy: "accept" },
  rules: rules("inet", [
    // Not all who have an address of an underlay's are sandboxes, and they may come by any way.
    [match(fib("saddr", "oifname"), "in", set("plumbed")), accept],
    [fromOthers, match(fib("saddr", "oifname"), "in", set("ifs")), drop],
  ]),
};

/** Whose address leaves: the host's towards the outside, and where an answer would not come back through the host. */
const postrouting: nftables.ChainDefinition = {
  hook: { type: "nat", hook: "postrouting", priority: priorities.srcnat, policy: "accept" },
  rules: rules("inet", [
    [outOfOurs, isNat, match(fib("saddr", "type"), "==", "local"), masquerade()],
    [isNat, match(concat(oifname, payload("ip saddr")), "in", set("own4")), masquerade()],
    [isNat, match(concat(oifname, payload("ip6 saddr")), "in", set("own6")), masquerade()],
    // A target that is on the client's network too would answer past the host.
    [isNat, outOfOurs, match(payload("ip saddr"), "in", set("pools4")), masquerade()],
    [isNat, outOfOurs, match(payload("ip6 saddr"), "in", set("pools6")), masquerade()],
    // What the host sends on for neighbours of the underlay, it sends on as it is.
    [...fromUnderlay, outOfOthers, accept],
    [outOfOthers, snat("ip", map(payload("ip saddr"), "snat4"), { data: "address" })],
    [outOfOthers, snat("ip6", map(payload("ip6 saddr"), "snat6"), { data: "address" })],
    [match(payload("ip saddr"), "in", set("masq4")), outOfOthers, masquerade()],
    [match(payload("ip6 saddr"), "in", set("masq6")), outOfOthers, masquerade()],
  ]),
};

/** The chains of the host's table. */
export const tableChains: Readonly<Record<string, nftables.ChainDefinition>> = {
  [userChain]: { rules: [], kept: true },
  raw,
  strangers,
  ...portChains,
  related,
  input,
  forward,
  // The host is no router for which it was none before weft. A bridge that came later is another engine's.
  "not-ours": {
    rules: rules("inet", [
      [match(meta("iifkind"), "==", "bridge"), match(iifname, "!=", set("guarded")), accept],
      [goTo("to-others")],
    ]),
  },
  "to-others": {
    rules: rules("inet", [
      [match(meta("oifkind"), "==", "bridge"), match(oifname, "!=", set("guarded")), accept],
      [match(concat(iifname, meta("nfproto")), "in", set("routers")), accept],
      [verdictMap(meta("nfproto"), "foreign")],
      [accept],
    ]),
  },
  // Nor for those with whom sandboxes share an underlay, but for the answers that they give.
  neighbours: { rules: rules("inet", [[isEstablished, goBack], [goTo("to-others")]]) },
  spoofed: { rules: rules("inet", [[...fromUnderlay, goBack], [drop]]) },
  postrouting,
};
