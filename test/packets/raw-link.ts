import type { MacAddress } from "../../src/core/index.ts";
import { inNetnsAt, NetlinkSocket, rtnetlink } from "../../src/kernel/netlink/index.ts";
import { NETLINK_ROUTE } from "../../src/kernel/netlink/socket.ts";
import * as sys from "../../src/kernel/syscalls.ts";

/** include/uapi/linux/if_packet.h, if_ether.h. */
const AF_PACKET = 17;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_MR_PROMISC = 1;
const PACKET_IGNORE_OUTGOING = 23;
const ETH_P_ALL = 3;

/** Enough for any frame of a veth pair that was not made for offloading. */
const frameBytes = 65_536;

/**
 * A link as somebody with raw sockets has it: any frame can be sent, and all that comes is heard, for
 * whomever it is (promiscuous).
 */
export class RawLink {
  /** The interface's own address. */
  readonly mac: MacAddress;
  readonly #fd: number;
  readonly #name: string;

  private constructor(fd: number, name: string, mac: MacAddress) {
    this.#fd = fd;
    this.#name = name;
    this.mac = mac;
  }

  /** Opens a link of the namespace at `netns`. Throws KernelError when there is none of that name. */
  static open(netns: string, name: string): RawLink {
    const fd = inNetnsAt(netns, () => sys.socket(AF_PACKET, sys.SOCK_RAW, 0));
    try {
      const { index, mac } = linkOf(netns, name);
      sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_RCVBUFFORCE, 8 << 20);
      sys.setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
      const membership = Buffer.alloc(16); // struct packet_mreq
      membership.writeInt32LE(index, 0);
      membership.writeUInt16LE(PACKET_MR_PROMISC, 4);
      sys.setsockoptBytes(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership);
      const address = Buffer.alloc(20); // struct sockaddr_ll
      address.writeUInt16LE(AF_PACKET, 0);
      address.writeUInt16BE(ETH_P_ALL, 2);
      address.writeInt32LE(index, 4);
      sys.bind(fd, address, name);
      return new RawLink(fd, name, mac);
    } catch (error) {
      sys.close(fd);
      throw error;
    }
  }

  /** Sends a frame. Where the kernel can go on at once, it has arrived when this returns. Throws KernelError. */
  send(frame: Uint8Array): void {
    sys.send(this.#fd, frame, "send", `frame on ${this.#name}`);
  }

  /** The frames that came since this was last asked. */
  heard(): readonly Buffer[] {
    return received(this.#fd, this.#name);
  }

  /** Resolves once the kernel has given the socket up. */
  close(): Promise<void> {
    return sys.closeSlowly(this.#fd);
  }
}

/** The number and the address of a link. */
export function linkOf(netns: string, name: string): { readonly index: number; readonly mac: MacAddress } {
  const socket = inNetnsAt(netns, () => NetlinkSocket.open(NETLINK_ROUTE));
  try {
    const { index, mac } = rtnetlink.getLink(socket, name) ?? {};
    if (index === undefined || mac === undefined) throw new Error(`${netns} has no Ethernet link ${name}`);
    return { index, mac };
  } finally {
    socket.close();
  }
}

/** All datagrams that wait in a socket. */
export function received(fd: number, name: string): readonly Buffer[] {
  const datagrams: Buffer[] = [];
  const buffer = Buffer.alloc(frameBytes);
  for (;;) {
    const length = sys.recvNow(fd, buffer, name);
    if (length === undefined) return datagrams;
    datagrams.push(Buffer.from(buffer.subarray(0, length)));
  }
}
