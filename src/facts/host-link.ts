import type { MacAddress } from "../core/index.ts";
import { doomedLinkGroup, type IpvlanSpec, ipvlanFlagOf, linkGroup } from "../kernel/index.ts";
import { type NetlinkSocket, rtnetlink } from "../kernel/netlink/index.ts";

const { getLink, kindName, listLinks, IFF_LOOPBACK, IFF_RUNNING } = rtnetlink;

/** A link of the host, as drivers that build on it have to know it. */
export interface HostLink {
  readonly name: string;
  /** IFLA_INFO_KIND; "device" for hardware. */
  readonly kind: string;
  /** Bytes. */
  readonly mtu: number;
  /** Absent where it has none of Ethernet's. */
  readonly mac?: MacAddress | undefined;
  readonly loopback: boolean;
  /** Administratively up. */
  readonly up: boolean;
  /** There is a carrier: what is sent can be heard by somebody. */
  readonly running: boolean;
  /** weft made it; it may be on its way out. */
  readonly ours: boolean;
  /** The bridge or bond that it is a port of. */
  readonly master?: string | undefined;
  /** For a macvlan or an ipvlan: how it takes in its parent's frames; absent where that cannot be told, as of macvtap. */
  readonly onParent?: { readonly mode: string; readonly flag?: IpvlanSpec["flag"] } | undefined;
  /** For a VLAN sub-interface: where its frames go, and by which tag. */
  readonly vlan?: HostVlan | undefined;
}

/** What a VLAN sub-interface is. */
export interface HostVlan {
  /** Absent when it is in another namespace. */
  readonly parent?: string | undefined;
  /** The tag, 0 to 4094. */
  readonly id: number;
  readonly protocol: "802.1Q" | "802.1ad";
}

/** Kinds of links that are built on another; a veth's IFLA_LINK is its other end. */
const builtKinds: ReadonlySet<string> = new Set(["vlan", "macvlan", "macvtap", "ipvlan", "ipvtap", "macsec"]);

/** Reads the link of that name in the socket's namespace; undefined when there is none. Throws KernelError. */
export function readHostLink(socket: NetlinkSocket, name: string): HostLink | undefined {
  const link = getLink(socket, name);
  return link === undefined ? undefined : hostLink(socket, link);
}

/** Reads the links of the socket's namespace that are built on the one of that name there. Throws KernelError. */
export function readLinksOn(socket: NetlinkSocket, name: string): readonly HostLink[] {
  const links = listLinks(socket);
  const below = links.find((link) => link.name === name)?.index;
  const built = links.filter(
    ({ lower, lowerNetnsId, kind }) =>
      lower === below &&
      below !== undefined &&
      lowerNetnsId === undefined &&
      kind !== undefined &&
      builtKinds.has(kindName(kind)),
  );
  return built.map((link) => hostLink(socket, link));
}

function hostLink(socket: NetlinkSocket, link: rtnetlink.Link): HostLink {
  return {
    name: link.name,
    kind: link.kind === undefined ? "device" : kindName(link.kind),
    mtu: link.mtu,
    mac: link.mac,
    loopback: (link.flags & IFF_LOOPBACK) !== 0,
    up: link.up,
    running: (link.flags & IFF_RUNNING) !== 0,
    ours: link.group === linkGroup || link.group === doomedLinkGroup,
    master: link.master === undefined ? undefined : getLink(socket, link.master)?.name,
    onParent: onParentOf(link),
    vlan: vlanOf(socket, link),
  };
}

function onParentOf({ kind }: rtnetlink.Link): HostLink["onParent"] {
  if (kind?.kind === "macvlan" && kind.mode !== undefined) return { mode: String(kind.mode) };
  if (kind?.kind !== "ipvlan" || kind.mode === undefined) return undefined;
  return { mode: String(kind.mode), flag: ipvlanFlagOf(kind.flags ?? 0) };
}

function vlanOf(socket: NetlinkSocket, { kind, lower, lowerNetnsId }: rtnetlink.Link): HostVlan | undefined {
  if (kind?.kind !== "vlan" || kind.id === undefined) return undefined;
  const here = lower !== undefined && lowerNetnsId === undefined;
  return {
    parent: here ? getLink(socket, lower)?.name : undefined,
    id: kind.id,
    protocol: kind.protocol === "802.1ad" ? "802.1ad" : "802.1Q",
  };
}
