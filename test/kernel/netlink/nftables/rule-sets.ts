import {
  accept,
  type ChainHook,
  concat,
  counter,
  ct,
  dnat,
  drop,
  fib,
  jhash,
  jump,
  map,
  masked,
  masquerade,
  match,
  meta,
  numgen,
  payload,
  payloadBits,
  priorities,
  rules,
  set,
  setMeta,
  symhash,
  type TableDefinition,
  type Term,
  withBits,
} from "../../../../src/kernel/netlink/nftables/index.ts";

/** The rule sets of test/fixtures/nftables/*.nft as an author would write them with this library. */

function hook(type: ChainHook["type"], where: ChainHook["hook"], priority: number): ChainHook {
  return { type, hook: where, priority, policy: "accept" };
}

const local = match(fib("daddr", "type"), "==", "local");
const ifs = set("ifs");

const mapOf4 = { data: ["ipv4_addr", "inet_service"] } as const;
const mapOf6 = { data: ["ipv6_addr", "inet_service"] } as const;

export const fabric: TableDefinition = {
  family: "inet",
  table: "weft",
  sets: {
    ports4: { key: ["ipv4_addr", "inet_proto", "inet_service"], ...mapOf4 },
    any4: { key: ["inet_proto", "inet_service"], ...mapOf4 },
    ports6: { key: ["ipv6_addr", "inet_proto", "inet_service"], ...mapOf6 },
    any6: { key: ["inet_proto", "inet_service"], ...mapOf6 },
    ifs: { key: ["ifname"] },
    icc: { key: ["ifname", "ifname"] },
    own4: { key: ["ifname", "ipv4_addr"], interval: true },
    own6: { key: ["ifname", "ipv6_addr"], interval: true },
    masq4: { key: ["ipv4_addr"], interval: true },
    masq6: { key: ["ipv6_addr"], interval: true },
  },
  chains: {
    published: {
      rules: rules("inet", [
        [local, dnat("ip", map(concat(payload("ip daddr"), meta("l4proto"), payload("th dport")), "ports4"))],
        [local, dnat("ip", map(concat(meta("l4proto"), payload("th dport")), "any4"))],
        [
          local,
          dnat("ip6", map(concat(payload("ip6 daddr"), meta("l4proto"), payload("th dport")), "ports6")),
        ],
        [local, dnat("ip6", map(concat(meta("l4proto"), payload("th dport")), "any6"))],
      ]),
    },
    pre: { hook: hook("nat", "prerouting", priorities.dstnat), rules: rules("inet", [[jump("published")]]) },
    out: { hook: hook("nat", "output", priorities.dstnat), rules: rules("inet", [[jump("published")]]) },
    post: {
      hook: hook("nat", "postrouting", priorities.srcnat),
      rules: rules("inet", [
        [
          match(meta("oifname"), "in", ifs),
          match(ct("status"), "has", "dnat"),
          match(fib("saddr", "type"), "==", "local"),
          masquerade(),
        ],
        [
          match(ct("status"), "has", "dnat"),
          match(concat(meta("oifname"), payload("ip saddr")), "in", set("own4")),
          masquerade(),
        ],
        [
          match(ct("status"), "has", "dnat"),
          match(concat(meta("oifname"), payload("ip6 saddr")), "in", set("own6")),
          masquerade(),
        ],
        [match(payload("ip saddr"), "in", set("masq4")), match(meta("oifname"), "!=", ifs), masquerade()],
        [match(payload("ip6 saddr"), "in", set("masq6")), match(meta("oifname"), "!=", ifs), masquerade()],
      ]),
    },
    raw: {
      hook: hook("filter", "prerouting", priorities.raw),
      rules: rules("inet", [
        [match(meta("iifname"), "!=", "lo"), match(payload("ip daddr"), "==", "127.0.0.0/8"), drop],
        [match(meta("iifname"), "!=", "lo"), match(payload("ip saddr"), "==", "127.0.0.0/8"), drop],
      ]),
    },
    forward: {
      hook: hook("filter", "forward", priorities.filter),
      rules: rules("inet", [
        [match(meta("iifname"), "!=", ifs), match(meta("oifname"), "!=", ifs), accept],
        [match(ct("state"), "has", ["established", "related"]), accept],
        [match(ct("status"), "has", "dnat"), accept],
        [match(concat(meta("iifname"), meta("oifname")), "in", set("icc")), accept],
        [match(meta("oifname"), "in", ifs), drop],
      ]),
    },
  },
};

export const dns: TableDefinition = {
  family: "ip",
  table: "names",
  sets: {},
  chains: {
    out: {
      hook: hook("nat", "output", priorities.dstnat),
      rules: rules("ip", [
        [
          match(payload("ip daddr"), "==", "127.0.0.11"),
          match(meta("l4proto"), "==", ["tcp", "udp"]),
          match(payload("th dport"), "==", 53),
          dnat("ip", { address: "127.0.0.11", port: 5353 }),
        ],
      ]),
    },
  },
};

const vnis = match(payloadBits("transport", 96, 24), "in", set("vnis"));
const vxlan = match(payload("udp dport"), "==", 4789);

export const vni: TableDefinition = {
  family: "inet",
  table: "vni",
  sets: {
    vnis: {
      key: [{ integer: 24 }],
      typeof: { key: [{ payload: "transport", offsetBits: 96, lengthBits: 24 }] },
    },
  },
  chains: {
    marking: {
      hook: hook("route", "output", priorities.mangle),
      rules: rules("inet", [[vxlan, vnis, setMeta("mark", 0x64)]]),
    },
    in: {
      hook: hook("filter", "input", priorities.filter),
      rules: rules("inet", [[vxlan, vnis, match(meta("secpath"), "==", "missing"), drop]]),
    },
  },
};

const service = (...more: readonly Term[]) => concat(payload("ip daddr"), payload("tcp dport"), ...more);

export const slots: TableDefinition = {
  family: "ip",
  table: "slots",
  sets: {
    slots: {
      key: ["ipv4_addr", "inet_service", { integer: 32, order: "host" }],
      ...mapOf4,
      typeof: {
        key: ["ip daddr", "tcp dport", { numgen: "random", modulus: 16 }],
        data: ["ip daddr", "tcp dport"],
      },
    },
    // nft knows a typeof jhash too, but 1.0.6 crashes when it lists one; a mark has the same bytes.
    aff: { key: ["ipv4_addr", "inet_service", "mark"], ...mapOf4 },
    multi: { key: ["ipv4_addr", "inet_proto", "inet_service", "mark"], ...mapOf4 },
  },
  chains: {
    out: {
      hook: hook("nat", "output", priorities.dstnat),
      rules: rules("ip", [
        [dnat("ip", map(service(numgen("random", 16)), "slots"))],
        [dnat("ip", map(service(jhash(payload("ip saddr"), 16)), "aff"))],
        [setMeta("mark", jhash(concat(payload("ip saddr"), payload("tcp sport")), 16))],
        [
          match(meta("l4proto"), "==", ["tcp", "udp"]),
          dnat(
            "ip",
            map(concat(payload("ip daddr"), meta("l4proto"), payload("th dport"), meta("mark")), "multi"),
          ),
        ],
        [setMeta("mark", withBits(meta("mark"), 0x5, 0xffff))],
        [setMeta("mark", symhash(4, 10))],
      ]),
    },
    forwarding: {
      hook: hook("filter", "forward", priorities.filter),
      rules: rules("ip", [
        [match(meta("iifname"), "==", "v0"), match(numgen("random", 100), "<", 5), counter(), drop],
      ]),
    },
  },
};

/** Rules that use what the others do not; some have no counterpart in the fixtures. */
export const marking = rules("inet", [[match(masked(meta("mark"), 0x1000000), "==", 0x1000000), accept]]);
