import { isKernelError } from "../kernel-error.ts";
import * as sys from "../syscalls.ts";
import { encode, padding, struct, u16, u32 } from "./wire.ts";

const SOL_NETLINK = 270;
/** include/uapi/linux/netlink.h. */
const NETLINK_ADD_MEMBERSHIP = 1;

/** struct sockaddr_nl: family, padding, port (0: the kernel chooses), groups. */
const sockaddrNl = struct({ family: u16, pad: padding(2), port: u32, groups: u32 });
const anyNetlinkPort = encode(sockaddrNl, { family: sys.AF_NETLINK, port: 0, groups: 0 });

/**
 * Opens a socket of `family` that multicast groups tell of changes, in the calling thread's namespace;
 * gives its descriptor. Throws KernelError.
 */
export function openListener(family: number, groups: readonly number[], receiveBufferBytes: number): number {
  const fd = sys.socket(sys.AF_NETLINK, sys.SOCK_RAW, family);
  try {
    sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_RCVBUFFORCE, receiveBufferBytes);
    // One that is not bound has port 0 as the kernel has, and is told nothing of what the kernel says.
    sys.bind(fd, anyNetlinkPort, "netlink");
    for (const group of groups) sys.setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
    return fd;
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

/**
 * Throws away all that waits in a socket. After an overrun the kernel drops whatever comes, without
 * telling so again, until the queue was empty once.
 */
export function discardAll(fd: number): void {
  const scratch = Buffer.alloc(1); // the rest of each datagram is dropped with it
  for (;;) {
    try {
      sys.recv(fd, scratch, sys.MSG_DONTWAIT, "leftovers");
    } catch (error) {
      if (!isKernelError(error, "ENOBUFS", "EINTR")) return;
    }
  }
}
