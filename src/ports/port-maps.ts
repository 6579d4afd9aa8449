import { type Family, familyOf, type IpAddress } from "../core/index.ts";
import { nftables } from "../kernel/netlink/index.ts";

const { concat, dnat, fib, goBack, jump, map, match, meta, payload, priorities, rules, set } = nftables;

import { isUnspecified, type PortProtocol } from "./protocol.ts";

/** A port of the host that leads to a port of a sandbox. */
export interface PublishedPort {
  readonly protocol: PortProtocol;
  /** The host's address that it is published on; 0.0.0.0 or :: for all of a family. */
  readonly hostAddress: IpAddress;
  readonly hostPort: number;
  /** The sandbox's address; of another family than the host's where only a proxy can serve it. */
  readonly target: IpAddress;
  readonly port: number;
}

/** The maps that lead published ports to sandboxes; they grow with ports, the rules do not. */
export const portMaps = {
  /** Published on one address of the host. */
  ports4: { key: ["ipv4_addr", "inet_proto", "inet_service"], data: ["ipv4_addr", "inet_service"] },
  ports6: { key: ["ipv6_addr", "inet_proto", "inet_service"], data: ["ipv6_addr", "inet_service"] },
  /** Published on all addresses of the host. */
  any4: { key: ["inet_proto", "inet_service"], data: ["ipv4_addr", "inet_service"] },
  any6: { key: ["inet_proto", "inet_service"], data: ["ipv6_addr", "inet_service"] },
  /** Ports of the host that sandboxes on a bridge reach by the proxy, though the rules lead there too. */
  proxied: { key: ["ifname", "inet_proto", "inet_service"] },
  /** Ports of the host that weft has reserved, whichever address they are published on. */
  reserved: { key: ["inet_proto", "inet_service"] },
} as const satisfies Readonly<Record<string, nftables.SetType>>;

/** An element of one of {@link portMaps}. */
export interface PortMapElement {
  readonly set: keyof typeof portMaps;
  readonly element: nftables.SetElement;
}

const port = concat(meta("l4proto"), payload("th dport"));
const onAddress = (family: "ip" | "ip6") =>
  concat(payload(`${family} daddr`), meta("l4proto"), payload("th dport"));

/**
 * The chains that rewrite the destination of what comes to a published port. What comes to ::1, or from
 * a link-local address, is left to the socket that reserves the port: no answer would find its way back
 * from a sandbox.
 */
export const portChains: Readonly<Record<string, nftables.ChainDefinition>> = {
  published: {
    rules: rules("inet", [
      [match(payload("ip6 daddr"), "==", "::1"), goBack],
      [match(payload("ip6 saddr"), "==", "fe80::/10"), goBack],
      [match(concat(meta("iifname"), meta("l4proto"), payload("th dport")), "in", set("proxied")), goBack],
      [dnat("ip", map(onAddress("ip"), "ports4"))],
      [match(meta("nfproto"), "==", "ipv4"), dnat("ip", map(port, "any4"))],
      [dnat("ip6", map(onAddress("ip6"), "ports6"))],
      [match(meta("nfproto"), "==", "ipv6"), dnat("ip6", map(port, "any6"))],
    ]),
  },
  prerouting: {
    hook: { type: "nat", hook: "prerouting", priority: priorities.dstnat, policy: "accept" },
    rules: rules("inet", [[match(fib("daddr", "type"), "==", "local"), jump("published")]]),
  },
  output: {
    hook: { type: "nat", hook: "output", priority: priorities.dstnat, policy: "accept" },
    rules: rules("inet", [[match(fib("daddr", "type"), "==", "local"), jump("published")]]),
  },
};

/** What leads to a published port; undefined where only the proxy does. Its number is in `reserved` besides. */
export function portTranslation(published: PublishedPort): PortMapElement | undefined {
  if (!isTranslated(published)) return undefined;
  const { protocol, hostAddress, hostPort, target, port } = published;
  const family = familyOf(hostAddress);
  const data = [target, port];
  return isUnspecified(hostAddress)
    ? { set: anyMap[family], element: { key: [protocol, hostPort], data } }
    : { set: oneMap[family], element: { key: [hostAddress, protocol, hostPort], data } };
}

/** True when the rules lead there; else only the proxy does. */
export function isTranslated({ hostAddress, target }: PublishedPort): boolean {
  return familyOf(hostAddress) === familyOf(target) && hostAddress !== "::1";
}

const anyMap: Readonly<Record<Family, "any4" | "any6">> = { 4: "any4", 6: "any6" };
const oneMap: Readonly<Record<Family, "ports4" | "ports6">> = { 4: "ports4", 6: "ports6" };
