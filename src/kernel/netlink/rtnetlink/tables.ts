import { attributes, nested } from "../attributes.ts";
import type { TableEvent, TableSource } from "../live-table.ts";
import type { NetlinkMessage } from "../message.ts";
import { NETLINK_ROUTE } from "../socket.ts";
import { decodeAddress, type LinkAddress, listAddresses } from "./address.ts";
import { bridgePortOptions } from "./bridge-port.ts";
import { decodeLink, type Link } from "./link.ts";
import { ifinfomsg } from "./link-attributes.ts";
import { listLinks } from "./link-queries.ts";
import { decodeNeighbour, listNeighbours, type Neighbour } from "./neighbour.ts";
import { decodeRoute, listRoutes, type Route, RTM_F_CLONED } from "./route.ts";
import * as rtm from "./rtm.ts";

/**
 * The links of a namespace, by index. The kernel does not tell of a changed group, alias or queue
 * length while the link is down, nor to the first end of a veth that its other end in another namespace
 * is there (`lower` is 0 until then); such things show with the link's next change.
 */
export const linkTable: TableSource<Link> = {
  family: NETLINK_ROUTE,
  groups: [rtm.RTNLGRP_LINK],
  list: (socket) => listLinks(socket),
  key: (link) => String(link.index),
  events(message, entries) {
    const link = decodeLink(message);
    if (link === undefined) return portEvents(message, entries);
    if (message.type === rtm.RTM_DELLINK) return [{ kind: "absent", key: String(link.index) }];
    return [{ kind: "present", value: link }, ...otherEndEvents(link, entries)];
  },
};

/** The end of a veth that the kernel makes first is told of before it has another end, which then names it. */
function otherEndEvents(link: Link, entries: ReadonlyMap<string, Link>): TableEvent<Link>[] {
  if (link.kind?.kind !== "veth" || link.lowerNetnsId !== undefined) return [];
  const other = entries.get(String(link.lower));
  if (other?.kind?.kind !== "veth" || other.lower !== 0) return [];
  return [{ kind: "present", value: { ...other, lower: link.index } }];
}

/** IFLA_PROTINFO of include/uapi/linux/if_link.h: in a bridge's own messages, the settings of the port. */
const portInfo = attributes({ port: nested(12, bridgePortOptions) });

/** What a bridge tells of one of its ports (AF_BRIDGE): a change of state comes in this form only. */
function portEvents(message: NetlinkMessage, entries: ReadonlyMap<string, Link>): TableEvent<Link>[] {
  if (message.type !== rtm.RTM_NEWLINK) return [];
  const { family, index } = ifinfomsg.read(message.payload);
  const former = entries.get(String(index));
  if (family !== rtm.AF_BRIDGE || former === undefined) return [];
  const { port } = portInfo.read(message.payload.subarray(ifinfomsg.size));
  return port === undefined ? [] : [{ kind: "present", value: { ...former, port } }];
}

/** The addresses of a namespace, by link and address. */
export const addressTable: TableSource<LinkAddress> = {
  family: NETLINK_ROUTE,
  groups: [rtm.RTNLGRP_IPV4_IFADDR, rtm.RTNLGRP_IPV6_IFADDR],
  list: (socket) => listAddresses(socket),
  key: ({ link, address, peer }) => `${link} ${address} ${peer ?? ""}`,
  events: (message) => simpleEvents(addressTable, decodeAddress(message), message.type === rtm.RTM_NEWADDR),
};

/** The routes of a namespace, by what the kernel tells them apart by. */
export const routeTable: TableSource<Route> = {
  family: NETLINK_ROUTE,
  groups: [rtm.RTNLGRP_IPV4_ROUTE, rtm.RTNLGRP_IPV6_ROUTE],
  list: (socket) => listRoutes(socket),
  key: (route) =>
    [route.table, route.type, route.destination, route.tos, route.priority, route.link, route.gateway].join(
      " ",
    ),
  events(message) {
    const route = decodeRoute(message);
    const isCopy = ((route?.flags ?? 0) & RTM_F_CLONED) !== 0;
    return simpleEvents(routeTable, isCopy ? undefined : route, message.type === rtm.RTM_NEWROUTE);
  },
};

/** The neighbours of a namespace, by link and address. */
export const neighbourTable: TableSource<Neighbour> = {
  family: NETLINK_ROUTE,
  groups: [rtm.RTNLGRP_NEIGH],
  list: (socket) => listNeighbours(socket),
  key: ({ link, address }) => `${link} ${address}`,
  events: (message) =>
    simpleEvents(neighbourTable, decodeNeighbour(message), message.type === rtm.RTM_NEWNEIGH),
};

function simpleEvents<T>(source: TableSource<T>, value: T | undefined, isPresent: boolean): TableEvent<T>[] {
  if (value === undefined) return [];
  return [isPresent ? { kind: "present", value } : { kind: "absent", key: source.key(value) }];
}
