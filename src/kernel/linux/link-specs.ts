import { doomedLinkGroup, linkGroup } from "../marks.ts";
import { IPVLAN_F_PRIVATE, IPVLAN_F_VEPA, type Link } from "../netlink/rtnetlink/index.ts";
import { hostNetns, type NetnsRef } from "../netns-ref.ts";
import type { IpvlanSpec, LinkSpec } from "../objects.ts";

/** A namespace with its links, by which the other ends of links elsewhere are found. */
export interface NetnsReading {
  readonly netns: NetnsRef;
  readonly links: readonly Link[];
  /** The number that this namespace knows the host's by; undefined when it has none. */
  readonly hostId: () => number | undefined;
}

/** IPVLAN_F_* for each flag; "bridge" is neither. */
export const ipvlanFlags: Readonly<Record<IpvlanSpec["flag"], number>> = {
  bridge: 0,
  private: IPVLAN_F_PRIVATE,
  vepa: IPVLAN_F_VEPA,
};

/** True for a link that carries weft's mark, also for one on its way out. */
export function isOwn(link: Link): boolean {
  return link.group === linkGroup || link.group === doomedLinkGroup;
}

/** What a link is to a plan. Other ends and parents are looked for in `readings`. */
export function specOf(reading: NetnsReading, link: Link, readings: readonly NetnsReading[]): LinkSpec {
  if (link.kind?.kind === "bridge") return { type: "bridge" };
  if (!isOwn(link)) return { type: "adopted" };
  switch (link.kind?.kind) {
    case "dummy":
      return { type: "dummy" };
    case "veth":
      return peerOf(reading.netns, link, readings) ?? { type: "unknown" };
    default:
      return onParent(reading, link, readings) ?? { type: "unknown" };
  }
}

function peerOf(netns: NetnsRef, link: Link, readings: readonly NetnsReading[]): LinkSpec | undefined {
  for (const other of readings) {
    if (other.netns === netns) continue;
    const end = other.links.find(
      ({ index, lower, kind }) => index === link.lower && lower === link.index && kind?.kind === "veth",
    );
    if (end !== undefined)
      return { type: "veth", peer: { netns: other.netns, name: end.name, mac: end.mac } };
  }
  return undefined;
}

function onParent(
  reading: NetnsReading,
  link: Link,
  readings: readonly NetnsReading[],
): LinkSpec | undefined {
  const parent = parentOf(reading, link, readings);
  if (parent === undefined) return undefined;
  const { kind } = link;
  switch (kind?.kind) {
    case "vlan": {
      const { id, protocol } = kind;
      return id === undefined || !isName(protocol) ? undefined : { type: "vlan", parent, id, protocol };
    }
    case "macvlan":
      return isName(kind.mode) ? { type: "macvlan", parent, mode: kind.mode } : undefined;
    case "ipvlan": {
      const { mode, flags = 0 } = kind;
      return isName(mode) ? { type: "ipvlan", parent, mode, flag: ipvlanFlagOf(flags) } : undefined;
    }
    default:
      return undefined;
  }
}

/** True but for what is not there, and for numbers: values of newer kernels that have no name here. */
function isName<T extends string>(value: T | number | undefined): value is T {
  return typeof value === "string";
}

/** The flag of an ipvlan link by its IPVLAN_F_*. */
export function ipvlanFlagOf(flags: number): IpvlanSpec["flag"] {
  if ((flags & IPVLAN_F_PRIVATE) !== 0) return "private";
  return (flags & IPVLAN_F_VEPA) !== 0 ? "vepa" : "bridge";
}

/** The name of the link below, if that is one of the host's. */
function parentOf(
  { netns, hostId }: NetnsReading,
  { lower, lowerNetnsId }: Link,
  readings: readonly NetnsReading[],
): string | undefined {
  const isHosts =
    netns === hostNetns
      ? lowerNetnsId === undefined
      : lowerNetnsId !== undefined && lowerNetnsId === hostId();
  if (!isHosts || lower === undefined) return undefined;
  const host = readings.find((one) => one.netns === hostNetns);
  return host?.links.find(({ index }) => index === lower)?.name;
}
