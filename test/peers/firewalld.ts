import type { Allowed } from "./ufw.ts";

/** The links in the zone `public`; all others fall to the default zone, which is `public` too. */
export interface Zones extends Allowed {
  readonly uplinks: readonly string[];
}

const rejected = "reject with icmpx admin-prohibited";
/** What a zone asks in turn. */
const stages = ["pre", "log", "deny", "allow", "post"] as const;

/**
 * For nft -f: the table as firewalld's nftables backend lays it out: base chains 10 after the usual
 * priorities, which accept what is established or rewritten, pass the rest to the zone of the link that it
 * came by, and reject what is left.
 */
export function firewalldRules({ uplinks, tcpPorts = [22] }: Zones): string {
  return `table inet firewalld {
${[...prerouting(uplinks), ...input(uplinks), ...forward(uplinks), ...output(), ...zone(uplinks, tcpPorts)].join("\n")}
}
`;
}

function chain(name: string, rules: readonly string[]): string {
  return [`  chain ${name} {`, ...rules.map((rule) => `    ${rule}`), "  }"].join("\n");
}

function base(name: string, type: string, hook: string, priority: string, rules: readonly string[]): string {
  return chain(name, [`type ${type} hook ${hook} priority ${priority}; policy accept;`, ...rules]);
}

/** Sends what came by a link to the chain of its zone, and the rest to the default zone's. */
function dispatch(name: string, match: "iifname" | "oifname", uplinks: readonly string[], to: string) {
  return chain(name, [...uplinks.map((link) => `${match} "${link}" goto ${to}`), `goto ${to}`]);
}

function prerouting(uplinks: readonly string[]): readonly string[] {
  return [
    base("mangle_PREROUTING", "filter", "prerouting", "mangle + 10", ["jump mangle_PREROUTING_ZONES"]),
    base("nat_PREROUTING", "nat", "prerouting", "dstnat + 10", ["jump nat_PREROUTING_ZONES"]),
    base("nat_POSTROUTING", "nat", "postrouting", "srcnat + 10", ["jump nat_POSTROUTING_ZONES"]),
    base("filter_PREROUTING", "filter", "prerouting", "filter + 10", [
      "icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept",
      "meta nfproto ipv6 fib saddr . mark . iif oif missing drop",
    ]),
    dispatch("mangle_PREROUTING_ZONES", "iifname", uplinks, "mangle_PRE_public"),
    dispatch("nat_PREROUTING_ZONES", "iifname", uplinks, "nat_PRE_public"),
    dispatch("nat_POSTROUTING_ZONES", "oifname", uplinks, "nat_POST_public"),
  ];
}

function input(uplinks: readonly string[]): readonly string[] {
  return [
    base("filter_INPUT", "filter", "input", "filter + 10", [
      "ct state { established, related } accept",
      "ct status dnat accept",
      'iifname "lo" accept',
      "ct state invalid drop",
      "jump filter_INPUT_ZONES",
      rejected,
    ]),
    dispatch("filter_INPUT_ZONES", "iifname", uplinks, "filter_IN_public"),
  ];
}

function forward(uplinks: readonly string[]): readonly string[] {
  return [
    base("filter_FORWARD", "filter", "forward", "filter + 10", [
      "ct state { established, related } accept",
      "ct status dnat accept",
      'iifname "lo" accept',
      "ct state invalid drop",
      "jump filter_FORWARD_ZONES",
      rejected,
    ]),
    dispatch("filter_FORWARD_ZONES", "iifname", uplinks, "filter_FWD_public"),
  ];
}

function output(): readonly string[] {
  return [
    base("filter_OUTPUT", "filter", "output", "filter + 10", [
      "ct state { established, related } accept",
      'oifname "lo" accept',
    ]),
  ];
}

/** The zone `public`: it lets in what is allowed and lets its uplinks' neighbours through to each other. */
function zone(uplinks: readonly string[], tcpPorts: readonly number[]): readonly string[] {
  const allowed: Readonly<Record<string, readonly string[]>> = {
    filter_IN_public: [
      ...tcpPorts.map((port) => `tcp dport ${port} ct state new,untracked accept`),
      "ip6 daddr fe80::/64 udp dport 546 ct state new,untracked accept",
    ],
    filter_FWD_public: uplinks.map((link) => `oifname "${link}" accept`),
  };
  const ends: Readonly<Record<string, readonly string[]>> = {
    filter_IN_public: ["meta l4proto { icmp, ipv6-icmp } accept", rejected],
    filter_FWD_public: [rejected],
  };
  return ["mangle_PRE", "nat_PRE", "nat_POST", "filter_IN", "filter_FWD"].flatMap((part) => {
    const name = `${part}_public`;
    return [
      ...stages.map((stage) => chain(`${name}_${stage}`, stage === "allow" ? (allowed[name] ?? []) : [])),
      chain(name, [...stages.map((stage) => `jump ${name}_${stage}`), ...(ends[name] ?? [])]),
    ];
  });
}
