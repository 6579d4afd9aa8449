import type { MacAddress } from "../../../core/index.ts";
import { type Attributes, attributes, nested } from "../attributes.ts";
import { type NetlinkMessage, type NetlinkRequest, NLM_F_CREATE, NLM_F_EXCL } from "../message.ts";
import type { Value } from "../wire.ts";
import type { BridgePort } from "./bridge-port.ts";
import type { Ipv6Conf } from "./ipv6-conf.ts";
import {
  type addrGenMode,
  commonLinkAttributes,
  IFF_UP,
  ifinfomsg,
  type operState,
} from "./link-attributes.ts";
import { type LinkKind, linkInfo } from "./link-kinds.ts";
import { AF_UNSPEC, RTM_DELLINK, RTM_NEWLINK, RTM_SETLINK } from "./rtm.ts";

/** A link in the socket's namespace: by index, or by name. */
export type LinkRef = number | string;

const linkAttributes = attributes({ ...commonLinkAttributes, linkInfo: nested(18, linkInfo) });

/** What can be set on any link. Absent ones stay as they are. */
export interface LinkSettings {
  readonly mac?: MacAddress | undefined;
  /** Bytes. */
  readonly mtu?: number | undefined;
  /** Packets. */
  readonly txQueueLength?: number | undefined;
  /** Index of the bridge or VRF it becomes a port of; 0 takes it out. */
  readonly master?: number | undefined;
  /** IFLA_GROUP: a number by which many links can be addressed at once. */
  readonly group?: number | undefined;
  readonly up?: boolean | undefined;
  /** Open fd of the namespace that the link lives in (created) or moves to (changed). */
  readonly netnsFd?: number | undefined;
}

/** A link to be made. */
export interface NewLink extends LinkSettings {
  /** At most 15 bytes. */
  readonly name: string;
  readonly kind: LinkKind;
  /**
   * The index it gets, so that later messages of the same datagram can speak of it. Any number up to
   * 2^31-1 that is free in its namespace; the kernel counts its own up from 1. EBUSY or EEXIST when taken.
   */
  readonly index?: number | undefined;
  /** Index of the link below: IFLA_LINK of a macvlan, ipvlan or vlan. */
  readonly lower?: number | undefined;
  /** The namespace of `lower`, as the id that this namespace has for it, when that is another one. */
  readonly lowerNetnsId?: number | undefined;
  readonly numTxQueues?: number | undefined;
  readonly numRxQueues?: number | undefined;
}

/** A change of a link. */
export interface LinkChange extends LinkSettings {
  /** A new name; the link has to be given by its index then, and to be down on kernels before 6.2. */
  readonly name?: string | undefined;
  /** Text for people; empty removes it. The kernel ignores it in the request that creates a link. */
  readonly alias?: string | undefined;
  /** The index it gets in the namespace that it moves to. */
  readonly newIndex?: number | undefined;
  readonly addrGenMode?: Value<typeof addrGenMode> | undefined;
  /** New settings of its kind; the kind itself cannot change. */
  readonly kind?: LinkKind | undefined;
  /** Settings as a port; the link must be one before this request, not by it. */
  readonly port?: BridgePort | undefined;
}

/** A link, as a dump or an event tells of it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** ARPHRD_* of include/uapi/linux/if_arp.h; 1 is Ethernet. */
  readonly type: number;
  /** IFF_*. */
  readonly flags: number;
  /** Administratively up: IFF_UP of the flags. */
  readonly up: boolean;
  readonly mtu: number;
  readonly group: number;
  readonly txQueueLength: number;
  readonly operState: Value<typeof operState>;
  /** Absent when the link has no address or no Ethernet address. */
  readonly mac?: MacAddress | undefined;
  readonly alias?: string | undefined;
  /** Index of its bridge, bond or VRF. */
  readonly master?: number | undefined;
  /** IFLA_LINK: index of the link below it, of a veth's other end. */
  readonly lower?: number | undefined;
  /** The namespace of `lower`, when that is another one; a number that only this namespace knows it by. */
  readonly lowerNetnsId?: number | undefined;
  readonly addrGenMode?: Value<typeof addrGenMode> | undefined;
  /** Absent where this kernel, or this link, has no IPv6. */
  readonly ipv6Conf?: Ipv6Conf | undefined;
  /** Absent for lo and hardware. */
  readonly kind?: LinkKind | undefined;
  /** Settings as a port of a bridge. */
  readonly port?: BridgePort | undefined;
}

interface LinkMessage {
  readonly call: string;
  readonly type: number;
  readonly flags?: number;
  readonly object: string;
  readonly index: number;
  readonly up?: boolean | undefined;
  readonly attributes?: Attributes<typeof linkAttributes>;
}

function linkMessage(message: LinkMessage): NetlinkRequest {
  return {
    type: message.type,
    flags: message.flags ?? 0,
    call: message.call,
    object: message.object,
    body(writer) {
      const flags = message.up === true ? IFF_UP : 0;
      const change = message.up === undefined ? 0 : IFF_UP;
      ifinfomsg.write(writer, { family: AF_UNSPEC, type: 0, index: message.index, flags, change });
      linkAttributes.write(writer, message.attributes ?? {});
    },
  };
}

/** How a request names a link: an index in its header, or IFLA_IFNAME beside index 0. */
function named(link: LinkRef): { object: string; index: number; attributes: { name?: string } } {
  if (typeof link === "number") return { object: `link ${link}`, index: link, attributes: {} };
  return { object: `link ${link}`, index: 0, attributes: { name: link } };
}

/**
 * RTM_NEWLINK that makes a link and refuses (EEXIST) when the name is taken. In this one request the
 * kernel honours index, name, MAC, MTU, group, queue length, master, `up` and the namespace, and all
 * that {@link VethPeer} has for a veth's other end. So a bridge with its addresses is one datagram:
 *
 *     socket.request([
 *       createLink({ name: "br0", kind: { kind: "bridge" }, index: 1000001, up: true }),
 *       addAddress({ link: 1000001, address: parseInterfaceAddress("10.0.0.1/24") }),
 *     ]);
 *
 * Either end of a veth may be the first: the one in the sandbox (`netnsFd`) is born up there, and the
 * other can be made a port by its name or index in the next message.
 *
 * Alias, addrGenMode and port settings are for {@link changeLink}, in the same datagram if one likes.
 */
export function createLink(link: NewLink): NetlinkRequest {
  const { index = 0, up, kind, ...rest } = link;
  return linkMessage({
    call: "RTM_NEWLINK",
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    object: `link ${link.name}`,
    index,
    up,
    attributes: { ...rest, linkInfo: { kind } },
  });
}

/**
 * Changes a link. Given by name, the message can stand in the same datagram as the one that makes the
 * link. A refused setting leaves those that the kernel applied before it.
 */
export function changeLink(link: LinkRef, change: LinkChange): NetlinkRequest {
  const { up, kind, port, addrGenMode: mode, ...rest } = change;
  const target = named(link);
  if (typeof link === "string" && rest.name !== undefined) {
    throw new TypeError(`link ${link} cannot be renamed by name: give its index`);
  }
  // RTM_SETLINK never reads IFLA_LINKINFO; RTM_NEWLINK without NLM_F_CREATE does, and creates nothing.
  const special = kind !== undefined || port !== undefined;
  return linkMessage({
    call: special ? "RTM_NEWLINK" : "RTM_SETLINK",
    type: special ? RTM_NEWLINK : RTM_SETLINK,
    object: target.object,
    index: target.index,
    up,
    attributes: {
      ...rest,
      ...target.attributes,
      familySpecific: mode === undefined ? undefined : { inet6: { addrGenMode: mode } },
      linkInfo: special ? { kind, port } : undefined,
    },
  });
}

/** Changes the settings of a bridge port; shorthand for {@link changeLink}. */
export function setBridgePort(link: LinkRef, port: BridgePort): NetlinkRequest {
  return changeLink(link, { port });
}

/** RTM_DELLINK. Deleting one end of a veth pair deletes both. ENODEV when it is not there. */
export function deleteLink(link: LinkRef): NetlinkRequest {
  return linkMessage({ call: "RTM_DELLINK", type: RTM_DELLINK, ...named(link) });
}

/**
 * RTM_DELLINK for every link of a group at once. That costs about as much as one for veths (17 ms for
 * 20), but each bridge takes its own 17 ms all the same, under the kernel's lock. ENODEV
 * when the group is empty, EOPNOTSUPP (and nothing is deleted) when one of them is hardware or lo.
 * Group 0 is where every link is by default, so the kernel never deletes it (EPERM).
 */
export function deleteLinkGroup(group: number): NetlinkRequest {
  return linkMessage({
    call: "RTM_DELLINK",
    type: RTM_DELLINK,
    object: `link group ${group}`,
    index: 0,
    attributes: { group },
  });
}

/** Reads RTM_NEWLINK or RTM_DELLINK; undefined for what bridges say of their ports (AF_BRIDGE) and other messages. */
export function decodeLink(message: NetlinkMessage): Link | undefined {
  if (message.type !== RTM_NEWLINK && message.type !== RTM_DELLINK) return undefined;
  const { payload } = message;
  const header = ifinfomsg.read(payload);
  if (header.family !== AF_UNSPEC) return undefined;
  const found = linkAttributes.read(payload.subarray(ifinfomsg.size));
  return linkFrom(header, found);
}

function linkFrom(header: Value<typeof ifinfomsg>, found: Attributes<typeof linkAttributes>): Link {
  const { addrGenMode, conf } = found.familySpecific?.inet6 ?? {};
  return {
    index: header.index,
    name: found.name ?? "",
    type: header.type,
    flags: header.flags,
    up: (header.flags & IFF_UP) !== 0,
    mtu: found.mtu ?? 0,
    group: found.group ?? 0,
    txQueueLength: found.txQueueLength ?? 0,
    operState: found.operState ?? "unknown",
    ...present("mac", found.mac),
    ...present("alias", found.alias),
    ...present("master", found.master),
    ...present("lower", found.lower),
    ...present("lowerNetnsId", found.lowerNetnsId),
    ...present("addrGenMode", addrGenMode),
    ...present("ipv6Conf", conf),
    ...found.linkInfo,
  };
}

/** A member only where there is a value, so that two readings of one link are deeply equal. */
function present<K extends string, T>(name: K, value: T | undefined): { readonly [N in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [N in K]: T }); // the only key is `name`
}
