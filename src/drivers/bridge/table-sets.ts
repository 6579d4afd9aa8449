import type { nftables } from "../../kernel/netlink/index.ts";
import { portMaps } from "../../ports/index.ts";

/** The sets and maps of the host's table; they grow with networks and ports, the rules do not. */
export const tableSets = {
  /** weft's bridges. */
  ifs: { key: ["ifname"] },
  /** Pairs of bridges that may talk: a bridge with itself. */
  icc: { key: ["ifname", "ifname"] },
  /** Bridges that others send to as well, by a port that leads to the underlay. */
  plumbed: { key: ["ifname"] },
  /** The same, each with itself: what stays on such a bridge is judged by its ports alone. */
  segment: { key: ["ifname", "ifname"] },
  /** Bridges of internal networks: nothing but their own traffic. */
  internal: { key: ["ifname"] },
  /** Subnets with a way out, whatever they leave by: their sandboxes ask for published ports. */
  pools4: { key: ["ipv4_addr"], interval: true },
  pools6: { key: ["ipv6_addr"], interval: true },
  /** Subnets that leave by the host's address. */
  masq4: { key: ["ipv4_addr"], interval: true },
  masq6: { key: ["ipv6_addr"], interval: true },
  /** Subnets that leave by an address of the user's choice. */
  snat4: { key: ["ipv4_addr"], data: ["ipv4_addr"], interval: true },
  snat6: { key: ["ipv6_addr"], data: ["ipv6_addr"], interval: true },
  /**
   * A bridge and its subnet: what comes from it and goes back to it by a published port has to pass the host,
   * and its sandboxes may send errors about its flows.
   */
  own4: { key: ["ifname", "ipv4_addr"], interval: true },
  own6: { key: ["ifname", "ipv6_addr"], interval: true },
  /** Addresses of bridges: for the sandboxes of their own network alone. */
  bridges4: { key: ["ipv4_addr"] },
  bridges6: { key: ["ipv6_addr"] },
  /** Ports of sandboxes that are open at their own addresses, on networks that are routed. */
  open4: { key: ["ipv4_addr", "inet_proto", "inet_service"] },
  open6: { key: ["ipv6_addr", "inet_proto", "inet_service"] },
  /** The same where only some of the host's interfaces are trusted. */
  trusted4: { key: ["ifname", "ipv4_addr", "inet_proto", "inet_service"] },
  trusted6: { key: ["ifname", "ipv6_addr", "inet_proto", "inet_service"] },
  /** Bridges, and families, that are open as a whole: gateway mode nat-unprotected. */
  unprotected: { key: ["ifname", "nf_proto"] },
  /** Bridges, and families, of gateway mode routed: their sandboxes answer pings. */
  routed: { key: ["ifname", "nf_proto"] },
  /** Bridges that the host had when weft made it a router, for itself: its links to others may be among their ports. */
  guarded: { key: ["ifname"] },
  /** Links, and families, from which the host forwarded before weft made it a router as a whole. */
  routers: { key: ["ifname", "nf_proto"] },
  /** What becomes of traffic that weft has no part in: dropped for the families that weft made it a router for. */
  foreign: { key: ["nf_proto"], data: "verdict" },
  ...portMaps,
} as const satisfies Readonly<Record<string, nftables.SetType>>;
