import type { MacAddress } from "../core/index.ts";
import { linkGroup } from "../kernel/index.ts";
import { type NetlinkSocket, rtnetlink } from "../kernel/netlink/index.ts";

const { getLink, kindName, IFF_LOOPBACK, IFF_RUNNING } = rtnetlink;

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
  /** weft made it. */
  readonly ours: boolean;
  /** The bridge or bond that it is a port of. */
  readonly master?: string | undefined;
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

/** Reads the link of that name in the socket's namespace; undefined when there is none. Throws KernelError. */
export function readHostLink(socket: NetlinkSocket, name: string): HostLink | undefined {
  const link = getLink(socket, name);
  if (link === undefined) return undefined;
  return {
    name,
    kind: link.kind === undefined ? "device" : kindName(link.kind),
    mtu: link.mtu,
    mac: link.mac,
    loopback: (link.flags & IFF_LOOPBACK) !== 0,
    up: link.up,
    running: (link.flags & IFF_RUNNING) !== 0,
    ours: link.group === linkGroup,
    master: link.master === undefined ? undefined : getLink(socket, link.master)?.name,
    vlan: vlanOf(socket, link),
  };
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
