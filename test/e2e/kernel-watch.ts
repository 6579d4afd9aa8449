import { inNetnsAt } from "../../src/kernel/index.ts";
import {
  MulticastSocket,
  NETLINK_ROUTE,
  NetlinkSocket,
  nftables,
  rtnetlink,
} from "../../src/kernel/netlink/index.ts";

const NETLINK_NETFILTER = 12;
const groups = [
  rtnetlink.RTNLGRP_LINK,
  rtnetlink.RTNLGRP_IPV4_IFADDR,
  rtnetlink.RTNLGRP_IPV6_IFADDR,
  rtnetlink.RTNLGRP_IPV4_ROUTE,
  rtnetlink.RTNLGRP_IPV6_ROUTE,
  rtnetlink.RTNLGRP_IPV4_RULE,
  rtnetlink.RTNLGRP_IPV6_RULE,
];

/** Hears of every change of links, addresses, routes and nftables in a namespace, from its making on. */
export class KernelWatch {
  readonly #path: string;
  readonly #events: MulticastSocket;
  readonly #generation: number;

  constructor(netnsPath: string) {
    this.#path = netnsPath;
    this.#generation = generationOf(netnsPath);
    this.#events = inNetnsAt(netnsPath, () => MulticastSocket.open(NETLINK_ROUTE, groups));
  }

  /** What has changed, a line each. The kernel tells of a change before the call that made it returns. */
  changes(): readonly string[] {
    const told = [...this.#events.drain()].map(({ type }) => `${this.#path}: rtnetlink message ${type}`);
    const generation = generationOf(this.#path);
    if (generation !== this.#generation)
      told.push(`${this.#path}: nftables generation ${this.#generation} became ${generation}`);
    return told;
  }

  close(): void {
    this.#events.close();
  }
}

/** The number of a namespace's rule set, which every transaction raises. */
function generationOf(netnsPath: string): number {
  const socket = inNetnsAt(netnsPath, () => NetlinkSocket.open(NETLINK_NETFILTER));
  try {
    return nftables.getGeneration(socket);
  } finally {
    socket.close();
  }
}
