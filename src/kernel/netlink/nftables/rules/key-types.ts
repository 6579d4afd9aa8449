import type { CtKey, MetaKey } from "../expressions/index.ts";
import type { FieldType } from "../field.ts";

const word: FieldType = { integer: 32, order: "host" };
const flag: FieldType = "boolean";
const name: FieldType = "ifname";

/** What `meta KEY` holds. */
export const metaTypes: Readonly<Record<MetaKey, FieldType>> = {
  length: word,
  protocol: "ether_type",
  priority: word,
  mark: "mark",
  iif: "iface_index",
  oif: "iface_index",
  iifname: name,
  oifname: name,
  iiftype: "iface_type",
  oiftype: "iface_type",
  skuid: "uid",
  skgid: "gid",
  nftrace: flag,
  rtclassid: word,
  secmark: word,
  nfproto: "nf_proto",
  l4proto: "inet_proto",
  ibrname: name,
  obrname: name,
  pkttype: "pkt_type",
  cpu: word,
  iifgroup: "devgroup",
  oifgroup: "devgroup",
  cgroup: word,
  random: { integer: 32 },
  secpath: flag,
  iifkind: name,
  oifkind: name,
  ibrpvid: { integer: 16, order: "host" },
  ibrvproto: "ether_type",
  time: { raw: 8 },
  day: { integer: 8 },
  hour: word,
  sdif: "iface_index",
  sdifname: name,
};

/** What `ct KEY` holds. */
export const ctTypes: Readonly<Record<CtKey, FieldType>> = {
  state: "ct_state",
  direction: "ct_dir",
  status: "ct_status",
  mark: "mark",
  secmark: word,
  expiration: word,
  helper: { raw: 16 },
  l3proto: "nf_proto",
  saddr: { raw: 16 },
  daddr: { raw: 16 },
  protocol: "inet_proto",
  "proto-src": "inet_service",
  "proto-dst": "inet_service",
  label: { raw: 16 },
  packets: { raw: 8 },
  bytes: { raw: 8 },
  avgpkt: { raw: 8 },
  zone: { integer: 16, order: "host" },
  event: word,
  "ip saddr": "ipv4_addr",
  "ip daddr": "ipv4_addr",
  "ip6 saddr": "ipv6_addr",
  "ip6 daddr": "ipv6_addr",
  id: { integer: 32 },
};
