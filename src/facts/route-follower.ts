import { familyOf } from "../core/index.ts";
import { doomedLinkGroup, inNetns, isKernelError, linkGroup } from "../kernel/index.ts";
import {
  MulticastSocket,
  NETLINK_ROUTE,
  type NetlinkMessage,
  NetlinkSocket,
  rtnetlink,
} from "../kernel/netlink/index.ts";

const {
  decodeLink,
  decodeRoute,
  listLinks,
  listRoutes,
  RT_SCOPE_LINK,
  RT_TABLE_MAIN,
  RTM_DELLINK,
  RTPROT_RA,
} = rtnetlink;
const { RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_LINK } = rtnetlink;

type Route = rtnetlink.Route;

/**
 * The host's routes that facts are about, kept in step without a thread: whoever asks first takes in
 * what the kernel has told since, which is complete, for the kernel queues it before the change returns.
 * So asking costs the same on a host with ten networks of weft's and with a thousand.
 */
export class RouteFollower {
  readonly #socket: NetlinkSocket;
  readonly #events: MulticastSocket;
  readonly #ownLinks = new Set<number>();
  #routes: readonly Route[] = [];
  #stale = true;

  private constructor(socket: NetlinkSocket, events: MulticastSocket) {
    this.#socket = socket;
    this.#events = events;
  }

  /** Follows the routes of a namespace. Throws KernelError. */
  static open(netnsFd: number): RouteFollower {
    return inNetns(netnsFd, () => {
      const socket = NetlinkSocket.open(NETLINK_ROUTE);
      try {
        const groups = [RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE];
        return new RouteFollower(socket, MulticastSocket.open(NETLINK_ROUTE, groups));
      } catch (error) {
        socket.close();
        throw error;
      }
    });
  }

  /** On-link IPv4 routes and advertised IPv6 ones of the main table, but for those on weft's own links. Throws KernelError. */
  current(): readonly Route[] {
    this.#takeIn();
    if (this.#stale) this.#readAnew();
    return this.#routes;
  }

  close(): void {
    this.#events.close();
    this.#socket.close();
  }

  #takeIn(): void {
    for (let complete = false; !complete; ) {
      try {
        for (const message of this.#events.drain()) this.#hear(message);
        complete = true;
      } catch (error) {
        if (!isKernelError(error, "ENOBUFS")) throw error;
        this.#stale = true; // some were lost: all is read anew, once those that are left are taken out
      }
    }
  }

  #hear(message: NetlinkMessage): void {
    const link = decodeLink(message);
    if (link === undefined) {
      const route = decodeRoute(message);
      if (route !== undefined && this.#isOfInterest(route)) this.#stale = true;
    } else if (!isOwn(link)) {
      // IPv4 routes go with their link, or when it goes down, and the kernel tells of none of them.
      this.#stale = true;
    } else if (message.type === RTM_DELLINK) {
      this.#ownLinks.delete(link.index);
    } else {
      this.#ownLinks.add(link.index);
    }
  }

  #readAnew(): void {
    this.#ownLinks.clear();
    for (const link of listLinks(this.#socket)) if (isOwn(link)) this.#ownLinks.add(link.index);
    this.#routes = listRoutes(this.#socket, { table: RT_TABLE_MAIN }).filter((route) =>
      this.#isOfInterest(route),
    );
    this.#stale = false;
  }

  #isOfInterest({ destination, scope, protocol, link, table }: Route): boolean {
    if (link === undefined || this.#ownLinks.has(link) || table !== RT_TABLE_MAIN) return false;
    return familyOf(destination) === 4 ? scope === RT_SCOPE_LINK : protocol === RTPROT_RA;
  }
}

/** True for a link that weft made, also on its way out. */
function isOwn({ group }: rtnetlink.Link): boolean {
  return group === linkGroup || group === doomedLinkGroup;
}
