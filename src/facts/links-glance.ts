import { leastMtu } from "../core/index.ts";
import { doomedLinkGroup, linkGroup } from "../kernel/index.ts";
import type { rtnetlink } from "../kernel/netlink/index.ts";

/** What is known of a host's links at one time. */
export interface LinksGlance {
  /** Ports that are links of others, sorted, by the names of their bridges. */
  readonly othersPorts: ReadonlyMap<string, readonly string[]>;
  /** Links whose MTU is too small for IPv6, sorted. */
  readonly small: readonly string[];
}

/** What a dump of all links says. */
export function glanceAt(links: readonly rtnetlink.Link[]): LinksGlance {
  const names = new Map(links.map(({ index, name }) => [index, name]));
  const othersPorts = new Map<string, string[]>();
  for (const { name, master, group } of links) {
    const bridge = master === undefined ? undefined : names.get(master);
    if (bridge === undefined || group === linkGroup || group === doomedLinkGroup) continue;
    othersPorts.set(bridge, [...(othersPorts.get(bridge) ?? []), name].sort());
  }
  const small = links.filter(({ mtu }) => mtu < leastMtu.ipv6);
  return { othersPorts, small: small.map(({ name }) => name).sort() };
}
