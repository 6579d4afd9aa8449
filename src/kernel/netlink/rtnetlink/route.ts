import {
  addressPart,
  type Family,
  familyOf,
  type IpAddress,
  lengthOf,
  type Prefix,
  prefixOf,
} from "../../../core/index.ts";
import type { Attributes } from "../attributes.ts";
import {
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
} from "../message.ts";
import type { NetlinkSocket } from "../socket.ts";
import type { Value } from "../wire.ts";
import { addressFamily, familyFromNumber, familyNumber, unspecifiedAddress } from "./family.ts";
import { dumpFiltered } from "./filtered-dump.ts";
import { type NextHop, type RouteType, routeAttributes, rtmsg } from "./route-attributes.ts";
import { RTM_DELROUTE, RTM_GETROUTE, RTM_NEWROUTE } from "./rtm.ts";

/** Routing tables, enum rt_class_t of include/uapi/linux/rtnetlink.h. */
export const RT_TABLE_DEFAULT = 253;
export const RT_TABLE_MAIN = 254;
export const RT_TABLE_LOCAL = 255;
/** Who made a route; numbers from RTPROT_STATIC up mean nothing to the kernel. */
export const RTPROT_KERNEL = 2;
export const RTPROT_BOOT = 3;
export const RTPROT_STATIC = 4;
export const RTPROT_RA = 9;
/** How far away a destination is. */
export const RT_SCOPE_UNIVERSE = 0;
export const RT_SCOPE_LINK = 253;
export const RT_SCOPE_HOST = 254;
export const RT_SCOPE_NOWHERE = 255;
/** rtm_flags: the gateway is taken to be on the link, whatever the addresses say. */
export const RTNH_F_ONLINK = 4;
/** rtm_flags: the link has no carrier; only in answers. */
export const RTNH_F_LINKDOWN = 16;
/** rtm_flags: a cached copy, never a route of a table. */
export const RTM_F_CLONED = 0x200;

/** A route. */
export interface Route {
  readonly destination: Prefix;
  /** RTA_GATEWAY. */
  readonly gateway?: IpAddress | undefined;
  /** RTA_VIA: a gateway of the other family. */
  readonly via?: IpAddress | undefined;
  /** Index of the outgoing link. */
  readonly link?: number | undefined;
  /** RTA_PRIORITY, the metric: the lowest wins. 0 when absent; the kernel makes 1024 of it for IPv6. */
  readonly priority?: number | undefined;
  /** RT_TABLE_MAIN when absent. */
  readonly table?: number | undefined;
  /** RTPROT_*, RTPROT_STATIC when absent in a request that makes a route, any in one that deletes. */
  readonly protocol?: number | undefined;
  /** RT_SCOPE_*; what `type` and gateway imply, when absent. */
  readonly scope?: number | undefined;
  /** `unicast` when absent. */
  readonly type?: RouteType | undefined;
  /** RTA_PREFSRC: the source address of packets that the host sends by it. */
  readonly preferredSource?: IpAddress | undefined;
  /** Bytes (RTAX_MTU). */
  readonly mtu?: number | undefined;
  /** RTAX_ADVMSS, bytes. */
  readonly advmss?: number | undefined;
  /** Several ways instead of `gateway` and `link`. */
  readonly nextHops?: readonly NextHop[] | undefined;
  /** Only packets from there (IPv6). */
  readonly source?: Prefix | undefined;
  readonly tos?: number | undefined;
  /** RTNH_F_* and RTM_F_*. */
  readonly flags?: number | undefined;
}

function routeRequest(call: string, type: number, flags: number, route: Route): NetlinkRequest {
  const deletes = type === RTM_DELROUTE;
  const { table = RT_TABLE_MAIN, destination, source } = route;
  return {
    type,
    flags,
    call,
    object: `route ${destination}${table === RT_TABLE_MAIN ? "" : ` in table ${table}`}`,
    body(writer) {
      rtmsg.write(writer, {
        family: addressFamily(destination),
        destinationLength: lengthOf(destination),
        sourceLength: source === undefined ? 0 : lengthOf(source),
        tos: route.tos ?? 0,
        table: table < 256 ? table : 0,
        protocol: route.protocol ?? (deletes ? 0 : RTPROT_STATIC),
        scope: route.scope ?? impliedScope(route, deletes),
        type: route.type ?? (deletes ? "unspecified" : "unicast"),
        flags: route.flags ?? 0,
      });
      routeAttributes.write(writer, attributesOf(route, table));
    },
  };
}

function attributesOf(route: Route, table: number): Attributes<typeof routeAttributes> {
  const { destination, source, mtu, advmss } = route;
  return {
    destination: lengthOf(destination) === 0 ? undefined : addressPart(destination),
    source: source === undefined ? undefined : addressPart(source),
    link: route.link,
    gateway: route.gateway,
    via: route.via,
    priority: route.priority,
    preferredSource: route.preferredSource,
    metrics: mtu === undefined && advmss === undefined ? undefined : { mtu, advmss },
    nextHops: route.nextHops,
    // The header's byte is too small for most tables.
    table: table < 256 ? undefined : table,
  };
}

/** The scope that the kernel wants for what the route does, any for one to delete; IPv6 has none. */
function impliedScope(route: Route, deletes: boolean): number {
  const { destination, type = "unicast", gateway, via, nextHops } = route;
  if (familyOf(destination) === 6) return RT_SCOPE_UNIVERSE;
  if (deletes) return RT_SCOPE_NOWHERE;
  if (type === "local" || type === "nat") return RT_SCOPE_HOST;
  if (type === "broadcast" || type === "multicast" || type === "anycast") return RT_SCOPE_LINK;
  const direct = type === "unicast" && gateway === undefined && via === undefined && nextHops === undefined;
  return direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

/** RTM_NEWROUTE that refuses (EEXIST) when the table has a route of that destination and metric. */
export function addRoute(route: Route): NetlinkRequest {
  return routeRequest("RTM_NEWROUTE", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
}

/** RTM_NEWROUTE that makes the route, or puts it in the place of that with its destination and metric. */
export function replaceRoute(route: Route): NetlinkRequest {
  return routeRequest("RTM_NEWROUTE", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route);
}

/** RTM_NEWROUTE that adds a further way; IPv6 merges it with that of its destination and metric. */
export function appendRoute(route: Route): NetlinkRequest {
  return routeRequest("RTM_NEWROUTE", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, route);
}

/** RTM_DELROUTE for the first route that has all that is given. ESRCH when there is none. */
export function deleteRoute(route: Route): NetlinkRequest {
  return routeRequest("RTM_DELROUTE", RTM_DELROUTE, 0, route);
}

/** Reads RTM_NEWROUTE or RTM_DELROUTE of IPv4 or IPv6; undefined for others. Table, protocol, scope, type, flags and priority are always there. */
export function decodeRoute(message: NetlinkMessage): Route | undefined {
  if (message.type !== RTM_NEWROUTE && message.type !== RTM_DELROUTE) return undefined;
  const header = rtmsg.read(message.payload);
  const family = familyFromNumber(header.family);
  if (family === undefined) return undefined;
  return routeFrom(header, family, routeAttributes.read(message.payload.subarray(rtmsg.size)));
}

function routeFrom(
  header: Value<typeof rtmsg>,
  family: Family,
  found: Attributes<typeof routeAttributes>,
): Route {
  const { destination, source, metrics, table, priority, preference: _preference, ...rest } = found;
  return {
    ...rest,
    ...metrics,
    destination: prefixOf(destination ?? unspecifiedAddress(family), header.destinationLength),
    table: table ?? header.table,
    priority: priority ?? 0,
    protocol: header.protocol,
    scope: header.scope,
    type: header.type,
    flags: header.flags,
    ...(header.tos === 0 ? {} : { tos: header.tos }),
    ...(source === undefined ? {} : { source: prefixOf(source, header.sourceLength) }),
  };
}

/** Which routes {@link listRoutes} gives; all that is absent is any. */
export interface RouteFilter {
  readonly family?: Family | undefined;
  readonly table?: number | undefined;
  readonly protocol?: number | undefined;
  /** Index of the outgoing link. */
  readonly link?: number | undefined;
  readonly type?: RouteType | undefined;
}

function routeDump(filter: RouteFilter): NetlinkRequest {
  const { table = 0 } = filter;
  return {
    type: RTM_GETROUTE,
    flags: 0,
    call: "RTM_GETROUTE",
    object: table === 0 ? "routes" : `routes of table ${table}`,
    body(writer) {
      rtmsg.write(writer, {
        family: familyNumber(filter.family),
        destinationLength: 0,
        sourceLength: 0,
        tos: 0,
        table: table < 256 ? table : 0,
        protocol: filter.protocol ?? 0,
        scope: 0,
        type: filter.type ?? "unspecified",
        flags: 0,
      });
      routeAttributes.write(writer, {
        link: filter.link,
        table: filter.table === undefined || table < 256 ? undefined : table,
      });
    },
  };
}

/** The routes in the socket's namespace, without cached copies. Throws KernelError. */
export function listRoutes(socket: NetlinkSocket, filter: RouteFilter = {}): Route[] {
  const { family, table, protocol, link, type } = filter;
  // Without a family the kernel asks each for itself, and one that lacks the table ends the dump.
  const families: readonly Family[] = family === undefined ? [4, 6] : [family];
  return families.flatMap((one) =>
    dumpFiltered(socket, {
      narrow: routeDump({ ...filter, family: one }),
      wide: routeDump({ family: one }),
      decode: decodeRoute,
      wanted: (route) =>
        ((route.flags ?? 0) & RTM_F_CLONED) === 0 &&
        (table === undefined || route.table === table) &&
        (protocol === undefined || route.protocol === protocol) &&
        (type === undefined || route.type === type) &&
        (link === undefined || route.link === link || hasHop(route, link)),
    }),
  );
}

function hasHop({ nextHops = [] }: Route, link: number): boolean {
  return nextHops.some((hop) => hop.link === link);
}
