import { addressToBytes, type Family, familyOf, type IpAddress } from "../core/index.ts";
import { inNetnsAt } from "./netns.ts";
import * as sys from "./syscalls.ts";

/** Whom a client socket is for. */
export interface Peer {
  readonly address: IpAddress;
  /** The interface behind which a link-local address is, by its name in the namespace. */
  readonly zone?: string;
  readonly port: number;
}

/**
 * Opens a UDP socket in the namespace at `netnsPath`, connected to `peer` from a port that the kernel
 * chose at random: it takes datagrams of the peer alone, and hears when nobody listens there. It does
 * not block. Throws KernelError; then nothing is open.
 */
export function openUdpTo(netnsPath: string, peer: Peer): number {
  const fd = openClient(netnsPath, sys.SOCK_DGRAM, peer);
  try {
    sys.connect(fd, socketAddress(peer), peerText(peer));
    return fd;
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

/**
 * Opens a TCP socket in the namespace at `netnsPath` that can be connected to `peer`, for whoever does
 * that (the connection is made in the socket's namespace, from wherever it is asked for). It does not
 * block. Throws KernelError.
 */
export function openTcpFor(netnsPath: string, peer: Peer): number {
  return openClient(netnsPath, sys.SOCK_STREAM, peer);
}

/** Sends one datagram to whom `fd` is connected to. Throws KernelError, EAGAIN when the socket has no room. */
export function sendDatagram(fd: number, datagram: Uint8Array): void {
  sys.send(fd, datagram, "send", `fd ${fd}`);
}

function openClient(netnsPath: string, type: number, { address, zone }: Peer): number {
  const domain = familyOf(address) === 4 ? sys.AF_INET : sys.AF_INET6;
  const fd = inNetnsAt(netnsPath, () => sys.socket(domain, type | sys.SOCK_NONBLOCK, 0));
  if (zone === undefined) return fd;
  try {
    // The kernel looks the name up in the socket's namespace, and then needs no scope in the address.
    sys.setsockoptBytes(fd, sys.SOL_SOCKET, sys.SO_BINDTODEVICE, Buffer.from(`${zone}\0`));
    return fd;
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

/** struct sockaddr_in or sockaddr_in6 (include/uapi/linux/in.h, in6.h). */
function socketAddress({ address, port }: Peer): Buffer {
  const family: Family = familyOf(address);
  const bytes = Buffer.alloc(family === 4 ? 16 : 28);
  bytes.writeUInt16LE(family === 4 ? sys.AF_INET : sys.AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(addressToBytes(address), family === 4 ? 4 : 8); // flow information goes before an IPv6 address
  return bytes;
}

function peerText({ address, port }: Peer): string {
  return familyOf(address) === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}
