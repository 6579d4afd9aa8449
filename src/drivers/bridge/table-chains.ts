import { acceptMark } from "../../kernel/index.ts";
import { nftables } from "../../kernel/netlink/index.ts";
import { portChains } from "../../ports/index.ts";

const {
  accept,
  concat,
  ct,
  drop,
  fib,
  goTo,
  jump,
  map,
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
/** No answer to the sender would leave by the interface that the packet came by: its source is not its own. */
const isSpoofed = match(fib(["saddr", "iif"], "present"), "==", "missing");
const isNat = match(ct("status"), "has", "dnat");
const isKnown = match(ct("state"), "has", ["established", "related"]);
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
    [setMeta("mark", withBits(meta("mark"), acceptMark))],
    [match(concat(iifname, oifname), "in", set("icc")), accept],
    [fromOurs, isSpoofed, drop],
    [isKnown, accept],
    [fromInternal, drop],
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
    // Those who ask for an address by DHCP, or whether theirs is free (RFC 4862 §5.4.2), have none yet.
    [match(payload("ip saddr"), "!=", "0.0.0.0"), isSpoofed, drop],
    [match(payload("ip6 saddr"), "!=", "::"), isSpoofed, drop],
    [isKnown, accept],
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
    [fromInternal, match(fib(["daddr", "iif"], "type"), "==", "unicast"), drop],
    [fromInternal, match(concat(...port), "in", set("reserved")), drop],
  ]),
};

/** 127.0.0.0/8 belongs to the host's own programs, also where a bridge routes it for a published port. */
const raw: nftables.ChainDefinition = {
  hook: { type: "filter", hook: "prerouting", priority: priorities.raw, policy: "accept" },
  rules: rules("inet", [
    [match(iifname, "!=", "lo"), match(payload("ip daddr"), "==", "127.0.0.0/8"), drop],
    [match(iifname, "!=", "lo"), match(payload("ip saddr"), "==", "127.0.0.0/8"), drop],
  ]),
};

/** Whose address leaves: the host's towards the outside, and where an answer would not come back through the host. */
const postrouting: nftables.ChainDefinition = {
  hook: { type: "nat", hook: "postrouting", priority: priorities.srcnat, policy: "accept" },
  rules: rules("inet", [
    [outOfOurs, isNat, match(fib("saddr", "type"), "==", "local"), masquerade()],
    [isNat, match(concat(oifname, payload("ip saddr")), "in", set("own4")), masquerade()],
    [isNat, match(concat(oifname, payload("ip6 saddr")), "in", set("own6")), masquerade()],
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
  ...portChains,
  input,
  forward,
  // The host is no router between links for which it was none before weft.
  "not-ours": {
    rules: rules("inet", [
      [
        match(iifname, "in", set("guarded")),
        match(oifname, "in", set("guarded")),
        verdictMap(meta("nfproto"), "foreign"),
      ],
      [accept],
    ]),
  },
  postrouting,
};
