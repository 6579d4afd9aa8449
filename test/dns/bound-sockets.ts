import { readdirSync, readlinkSync } from "node:fs";
import * as sys from "../../src/kernel/syscalls.ts";

/** A bound socket as a caller in another namespace would hand it over. */
export interface BoundSocket {
  readonly fd: number;
  readonly port: number;
}

function bound(type: number): BoundSocket {
  const fd = sys.socket(sys.AF_INET, type | sys.SOCK_NONBLOCK, 0);
  const address = Buffer.alloc(16); // struct sockaddr_in
  address.writeUInt16LE(sys.AF_INET, 0);
  address.set([127, 0, 0, 1], 4);
  sys.bind(fd, address, "127.0.0.1");
  return { fd, port: sys.getsockname(fd).readUInt16BE(2) };
}

/** A UDP socket on a free port of 127.0.0.1. */
export const boundUdp = (): BoundSocket => bound(sys.SOCK_DGRAM);

/** A TCP socket on a free port of 127.0.0.1, not listening. */
export const boundTcp = (): BoundSocket => bound(sys.SOCK_STREAM);

/** Both sockets of a server. */
export function boundPair() {
  const udp = boundUdp();
  const tcp = boundTcp();
  return { fds: { udpFd: udp.fd, tcpFd: tcp.fd }, udpPort: udp.port, tcpPort: tcp.port };
}

/** The sockets this process has open, by what they are, sorted. */
export function openSockets(): readonly string[] {
  const links = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // the descriptor of the listing itself
    }
  });
  return links.filter((link) => link.startsWith("socket:")).sort();
}

/** How many descriptors this process has open. */
export function openFdCount(): number {
  return readdirSync("/proc/self/fd").length;
}
