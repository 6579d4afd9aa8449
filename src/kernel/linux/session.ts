import { randomInt } from "node:crypto";
import { KernelError } from "../kernel-error.ts";
import { getLink, type Link } from "../netlink/rtnetlink/index.ts";
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from "../netlink/socket.ts";
import { inNetns, openNetns } from "../netns.ts";
import { hostNetns, type NetnsRef } from "../netns-ref.ts";
import * as sys from "../syscalls.ts";

const ENODEV = 19;

/** A namespace and the sockets in it, opened when they are needed. */
export interface NetnsSockets {
  readonly fd: number;
  route?: NetlinkSocket;
  netfilter?: NetlinkSocket;
}

/** Closes the sockets, not the namespace. */
export function closeSockets({ route, netfilter }: NetnsSockets): void {
  route?.close();
  netfilter?.close();
}

/** {@link closeSockets} without waiting for the kernel. */
export function closeSocketsSlowly({ route, netfilter }: NetnsSockets): void {
  void route?.closeSlowly();
  void netfilter?.closeSlowly();
}

/**
 * The sockets of one batch of work, opened when they are needed. A socket keeps its namespace alive, so
 * those of sandboxes are closed when the work is done. Those of the host are lent: closing an nfnetlink
 * socket waits until what was deleted in its namespace is destroyed (10 to 20 ms, an RCU grace period).
 */
export class Session {
  readonly #host: NetnsSockets;
  readonly #open = new Map<NetnsRef, NetnsSockets>();
  /** Indexes of links by namespace and name, as far as this session made or met them. */
  readonly #indexes = new Map<string, number>();

  constructor(host: NetnsSockets) {
    this.#host = host;
  }

  /** An open fd of the namespace, which belongs to the session. Throws KernelError. */
  netnsFd(netns: NetnsRef): number {
    return this.#sockets(netns).fd;
  }

  /** Runs synchronous work inside the namespace. */
  within<T>(netns: NetnsRef, work: () => T): T {
    return inNetns(this.netnsFd(netns), work);
  }

  /** An rtnetlink socket in the namespace. Throws KernelError. */
  route(netns: NetnsRef): NetlinkSocket {
    const sockets = this.#sockets(netns);
    sockets.route ??= inNetns(sockets.fd, () => NetlinkSocket.open(NETLINK_ROUTE));
    return sockets.route;
  }

  /** An nfnetlink socket in the namespace. Throws KernelError. */
  netfilter(netns: NetnsRef): NetlinkSocket {
    const sockets = this.#sockets(netns);
    sockets.netfilter ??= inNetns(sockets.fd, () => NetlinkSocket.open(NETLINK_NETFILTER));
    return sockets.netfilter;
  }

  /** Gives a link that is about to be made an index, so that later messages of the same datagram can name it. */
  newIndex(netns: NetnsRef, name: string): number {
    const index = nextIndex();
    this.#indexes.set(`${netns} ${name}`, index);
    return index;
  }

  /** The index of a link. Throws KernelError, ENODEV, when it is not there. */
  index(netns: NetnsRef, name: string): number {
    const known = this.#indexes.get(`${netns} ${name}`);
    if (known !== undefined) return known;
    const link = this.link(netns, name);
    if (link === undefined)
      throw new KernelError({ errno: ENODEV, call: "RTM_GETLINK", object: `link ${name}` });
    this.#indexes.set(`${netns} ${name}`, link.index);
    return link.index;
  }

  /** A link by its name; undefined when it is not there. Throws KernelError. */
  link(netns: NetnsRef, name: string): Link | undefined {
    return getLink(this.route(netns), name);
  }

  /** Closes what was opened; calling it twice does no harm. */
  close(): void {
    for (const sockets of this.#open.values()) {
      closeSockets(sockets);
      sys.close(sockets.fd);
    }
    this.#open.clear();
    this.#indexes.clear();
  }

  #sockets(netns: NetnsRef): NetnsSockets {
    if (netns === hostNetns) return this.#host;
    const open = this.#open.get(netns);
    if (open !== undefined) return open;
    const sockets: NetnsSockets = { fd: openNetns(netns) };
    this.#open.set(netns, sockets);
    return sockets;
  }
}

// The kernel counts its own indexes up from 1, so weft's begin far above them.
const lowestIndex = 1 << 28;
const highestIndex = 2 ** 31 - 1;
let lastIndex = randomInt(lowestIndex, highestIndex);

function nextIndex(): number {
  lastIndex = lastIndex >= highestIndex ? lowestIndex : lastIndex + 1;
  return lastIndex;
}
