import { isKernelError } from "./kernel-error.ts";
import { inNetnsAt } from "./netns.ts";
import * as sys from "./syscalls.ts";

/** struct sockaddr_un with an abstract name: a NUL, and the name without an end. */
function abstractAddress(name: string): Buffer {
  const address = Buffer.alloc(3 + Buffer.byteLength(name));
  address.writeUInt16LE(sys.AF_UNIX, 0);
  address.write(name, 3);
  return address;
}

/**
 * Binds an abstract unix socket in the namespace at `netnsPath`: each namespace has its own names, and
 * they go with the process. Throws KernelError, EADDRINUSE when the name is taken.
 */
export function bindAbstractSocket(netnsPath: string, name: string): number {
  return inNetnsAt(netnsPath, () => {
    const fd = sys.socket(sys.AF_UNIX, sys.SOCK_STREAM, 0);
    try {
      sys.bind(fd, abstractAddress(name), `@${name}`);
      sys.listen(fd, 1); // so that whoever connects can ask for this process's credentials
      return fd;
    } catch (error) {
      sys.close(fd);
      throw error;
    }
  });
}

/** The process that listens on an abstract socket in the namespace, and its user; undefined when none does. Throws KernelError. */
export function abstractSocketOwner(
  netnsPath: string,
  name: string,
): { readonly pid: number; readonly uid: number } | undefined {
  return inNetnsAt(netnsPath, () => {
    const fd = sys.socket(sys.AF_UNIX, sys.SOCK_STREAM | sys.SOCK_NONBLOCK, 0);
    try {
      sys.connect(fd, abstractAddress(name), `@${name}`);
      const credentials = sys.getsockopt(fd, sys.SOL_SOCKET, sys.SO_PEERCRED, 12); // struct ucred: pid, uid, gid
      return { pid: credentials.readInt32LE(0), uid: credentials.readUInt32LE(4) };
    } catch (error) {
      // EAGAIN: its queue of connections is full, which others who asked have filled.
      if (isKernelError(error, "ECONNREFUSED", "EAGAIN")) return undefined;
      throw error;
    } finally {
      sys.close(fd);
    }
  });
}

/** Room for a path in struct sockaddr_un, its NUL included, bytes. */
const longestPath = 108;

/**
 * Sends one datagram to a unix socket of this namespace: a path, or `@` and an abstract name. Waits while its reader
 * has too many unread. Throws KernelError, and RangeError for an address that is neither or too long.
 */
export function sendUnixDatagram(address: string, datagram: Uint8Array): void {
  const isAbstract = address.startsWith("@");
  if ((!isAbstract && !address.startsWith("/")) || Buffer.byteLength(address) >= longestPath)
    throw new RangeError(`${JSON.stringify(address)} is no unix socket's address`);
  const bytes = isAbstract ? abstractAddress(address.slice(1)) : pathAddress(address);
  const fd = sys.socket(sys.AF_UNIX, sys.SOCK_DGRAM, 0);
  try {
    sys.connect(fd, bytes, address);
    sys.send(fd, datagram, "send", address);
  } finally {
    sys.close(fd);
  }
}

/** struct sockaddr_un with a path. */
function pathAddress(path: string): Buffer {
  const address = Buffer.alloc(2 + Buffer.byteLength(path) + 1);
  address.writeUInt16LE(sys.AF_UNIX, 0);
  address.write(path, 2);
  return address;
}

/** struct sockaddr_in. */
function ipv4SocketAddress(address: readonly [number, number, number, number], port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(sys.AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(address, 4);
  return bytes;
}

/** Opens a UDP socket and a TCP socket bound to one IPv4 address and port of a namespace; the TCP one does not listen yet. Throws KernelError; then neither is open. */
export function openUdpAndTcp(
  netnsPath: string,
  address: readonly [number, number, number, number],
  port: number,
): { readonly udpFd: number; readonly tcpFd: number } {
  return inNetnsAt(netnsPath, () => {
    const opened: number[] = [];
    const bound = (type: number) => {
      const fd = sys.socket(sys.AF_INET, type | sys.SOCK_NONBLOCK, 0);
      opened.push(fd);
      if (type === sys.SOCK_STREAM) sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_REUSEADDR, 1);
      sys.bind(fd, ipv4SocketAddress(address, port), `${address.join(".")}:${port}`);
      return fd;
    };
    try {
      return { udpFd: bound(sys.SOCK_DGRAM), tcpFd: bound(sys.SOCK_STREAM) };
    } catch (error) {
      for (const fd of opened) sys.close(fd);
      throw error;
    }
  });
}

/** True when the interface of that name in the calling thread's namespace has the wireless extensions of old. Throws KernelError. */
export function isWireless(name: string): boolean {
  const fd = sys.socket(sys.AF_INET, sys.SOCK_DGRAM, 0);
  try {
    return sys.hasWirelessExtensions(fd, name);
  } finally {
    sys.close(fd);
  }
}
