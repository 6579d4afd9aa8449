import { readdirSync, readlinkSync } from "node:fs";
import koffi from "koffi";

const libc = koffi.load("libc.so.6");
const socket = libc.func("int socket(int domain, int type, int protocol)");
const bind = libc.func("int bind(int fd, const void *address, uint32_t length)");
const getsockname = libc.func("int getsockname(int fd, _Out_ void *address, _Inout_ uint32_t *length)");

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK_CLOEXEC = 0o2004000;

/** A bound socket as a caller in another namespace would hand it over. */
export interface BoundSocket {
  readonly fd: number;
  readonly port: number;
}

function bound(type: number): BoundSocket {
  const fd: number = socket(AF_INET, type | SOCK_NONBLOCK_CLOEXEC, 0);
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.set([127, 0, 0, 1], 4);
  if (fd < 0 || bind(fd, address, address.length) !== 0) throw new Error(`errno ${koffi.errno()}`);
  if (getsockname(fd, address, [address.length]) !== 0) throw new Error(`errno ${koffi.errno()}`);
  return { fd, port: address.readUInt16BE(2) };
}

/** A UDP socket on a free port of 127.0.0.1. */
export const boundUdp = (): BoundSocket => bound(SOCK_DGRAM);

/** A TCP socket on a free port of 127.0.0.1, not listening. */
export const boundTcp = (): BoundSocket => bound(SOCK_STREAM);

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
