import type { PayloadBase } from "../expressions/index.ts";
import type { FieldType } from "../field.ts";

/** What must be known of a packet before a field of a header may be read. */
export interface FieldNeeds {
  readonly network?: "ipv4" | "ipv6";
  readonly transport?: "tcp" | "udp" | "sctp" | "icmp" | "icmpv6";
  readonly link?: "ether";
}

/** Where a field of a header is, in bytes, and what it holds. */
export interface HeaderFieldPlace {
  readonly base: PayloadBase;
  readonly offset: number;
  readonly length: number;
  readonly type: FieldType;
  readonly needs: FieldNeeds;
}

function field(
  base: PayloadBase,
  offset: number,
  length: number,
  type: FieldType,
  needs: FieldNeeds,
): HeaderFieldPlace {
  return { base, offset, length, type, needs };
}

const ether = { link: "ether" } as const;
const ip = { network: "ipv4" } as const;
const ip6 = { network: "ipv6" } as const;
const tcp = { transport: "tcp" } as const;
const udp = { transport: "udp" } as const;
const sctp = { transport: "sctp" } as const;
const icmp = { network: "ipv4", transport: "icmp" } as const;
const icmpv6 = { network: "ipv6", transport: "icmpv6" } as const;
/** Ports stand at the same place in TCP, UDP and SCTP; the rule itself says which it means. */
const anyTransport = {} as const;

/** Fields of headers by nft's names. */
export const headerFields = {
  "ether daddr": field("link", 0, 6, "ether_addr", ether),
  "ether saddr": field("link", 6, 6, "ether_addr", ether),
  "ether type": field("link", 12, 2, "ether_type", ether),
  "ip length": field("network", 2, 2, { integer: 16 }, ip),
  "ip ttl": field("network", 8, 1, { integer: 8 }, ip),
  "ip protocol": field("network", 9, 1, "inet_proto", ip),
  "ip saddr": field("network", 12, 4, "ipv4_addr", ip),
  "ip daddr": field("network", 16, 4, "ipv4_addr", ip),
  "ip6 nexthdr": field("network", 6, 1, "inet_proto", ip6),
  "ip6 hoplimit": field("network", 7, 1, { integer: 8 }, ip6),
  "ip6 saddr": field("network", 8, 16, "ipv6_addr", ip6),
  "ip6 daddr": field("network", 24, 16, "ipv6_addr", ip6),
  "th sport": field("transport", 0, 2, "inet_service", anyTransport),
  "th dport": field("transport", 2, 2, "inet_service", anyTransport),
  "tcp sport": field("transport", 0, 2, "inet_service", tcp),
  "tcp dport": field("transport", 2, 2, "inet_service", tcp),
  "tcp flags": field("transport", 13, 1, "tcp_flag", tcp),
  "udp sport": field("transport", 0, 2, "inet_service", udp),
  "udp dport": field("transport", 2, 2, "inet_service", udp),
  "sctp sport": field("transport", 0, 2, "inet_service", sctp),
  "sctp dport": field("transport", 2, 2, "inet_service", sctp),
  "icmp type": field("transport", 0, 1, "icmp_type", icmp),
  "icmpv6 type": field("transport", 0, 1, "icmpv6_type", icmpv6),
} as const satisfies Readonly<Record<string, HeaderFieldPlace>>;

/** nft's name of a field of a header. */
export type HeaderFieldName = keyof typeof headerFields;
