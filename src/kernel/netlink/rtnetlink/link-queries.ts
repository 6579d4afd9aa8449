import { attribute, attributes, nested } from "../attributes.ts";
import type { NetlinkMessage, NetlinkRequest } from "../message.ts";
import type { NetlinkSocket } from "../socket.ts";
import { text, u32 } from "../wire.ts";
import { dumpFiltered } from "./filtered-dump.ts";
import { decodeLink, type Link, type LinkRef } from "./link.ts";
import { IFF_PROMISC, ifinfomsg } from "./link-attributes.ts";
import { kindName } from "./link-kinds.ts";
import { AF_UNSPEC, RTM_GETLINK } from "./rtm.ts";

/** Which links {@link listLinks} gives; all that is absent is any. */
export interface LinkFilter {
  /** Index of the bridge or VRF that they are ports of. */
  readonly master?: number | undefined;
  /** The kernel's name of their kind, `veth`. */
  readonly kind?: string | undefined;
  readonly group?: number | undefined;
}

/** RTEXT_FILTER_SKIP_STATS of include/uapi/linux/rtnetlink.h: statistics are most of an answer, and unread. */
const RTEXT_FILTER_SKIP_STATS = 8;

const queryAttributes = attributes({
  name: attribute(3, text),
  master: attribute(10, u32),
  linkInfo: nested(18, attributes({ kind: attribute(1, text) })),
  extendedMask: attribute(29, u32),
});

function query(index: number, name: string | undefined, filter: LinkFilter, object: string): NetlinkRequest {
  return {
    type: RTM_GETLINK,
    flags: 0,
    call: "RTM_GETLINK",
    object,
    body(writer) {
      ifinfomsg.write(writer, { family: AF_UNSPEC, type: 0, index, flags: 0, change: 0 });
      queryAttributes.write(writer, {
        name,
        master: filter.master,
        linkInfo: filter.kind === undefined ? undefined : { kind: filter.kind },
        extendedMask: RTEXT_FILTER_SKIP_STATS,
      });
    },
  };
}

/** The links of the socket's namespace. Throws KernelError. */
export function listLinks(socket: NetlinkSocket, filter: LinkFilter = {}): Link[] {
  const wide = query(0, undefined, {}, "links");
  const narrowed = filter.master !== undefined || filter.kind !== undefined;
  return dumpFiltered(socket, {
    narrow: narrowed ? query(0, undefined, filter, "links") : wide,
    wide,
    decode: decodeLink,
    wanted: (link) =>
      (filter.master === undefined || link.master === filter.master) &&
      (filter.kind === undefined || (link.kind !== undefined && kindName(link.kind) === filter.kind)) &&
      (filter.group === undefined || link.group === filter.group),
  });
}

/** One link; undefined when it is not there. Throws KernelError. */
export function getLink(socket: NetlinkSocket, link: LinkRef): Link | undefined {
  const request =
    typeof link === "number"
      ? query(link, undefined, {}, `link ${link}`)
      : query(0, link, {}, `link ${link}`);
  return socket.get(request, decodeLink, ["ENODEV"]);
}

/** Whether a link hears frames to any MAC address. */
export interface Promiscuity {
  /** IFLA_PROMISCUITY: how many want that. */
  readonly count: number;
  /** One of them is IFF_PROMISC, the flag that people and programs set. */
  readonly byFlag: boolean;
}

const promiscuityAttributes = attributes({ promiscuity: attribute(30, u32) });

/** {@link Promiscuity} of one link; undefined when it is not there. Throws KernelError. */
export function getPromiscuity(socket: NetlinkSocket, name: string): Promiscuity | undefined {
  const decode = ({ payload }: NetlinkMessage): Promiscuity => ({
    count: promiscuityAttributes.read(payload.subarray(ifinfomsg.size)).promiscuity ?? 0,
    byFlag: (ifinfomsg.read(payload).flags & IFF_PROMISC) !== 0,
  });
  return socket.get(query(0, name, {}, `link ${name}`), decode, ["ENODEV"]);
}
