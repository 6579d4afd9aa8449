import { bpf, encodeBpf } from "../kernel/classic-bpf.ts";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";
import type { ExitTable } from "./exit-table.ts";

/** Of include/linux/socket.h, include/uapi/linux/netlink.h and connector.h. */
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_DROP_MEMBERSHIP = 2;
const NETLINK_CONNECTOR = 11;
const NLMSG_DONE = 3;
const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;
/** Of include/uapi/linux/cn_proc.h. */
const PROC_CN_MCAST_LISTEN = 1;
const PROC_CN_MCAST_IGNORE = 2;
const PROC_EVENT_NONE = 0;
const PROC_EVENT_EXIT = 0x8000_0000;

/**
 * Offsets in a message, bytes: a struct nlmsghdr (16), a struct cn_msg (20), and a struct proc_event, whose union
 * begins at its byte 16.
 */
const acknowledged = 28;
const what = 36;
const eventData = 52;
const eventBytes = 76;
/** More bytes than a message has: a filter says how many of them pass. */
const wholeMessage = 0x4_0000;

/**
 * Room for what is told before the thread that reads gets its turn; the kernel doubles it, and takes 832 bytes for
 * an exit.
 */
const roomBytes = 2 * 1024 * 1024;

/** How the kernel says that it tells nothing here: no connector at all, none in this network namespace, not to this one. */
const toldNothing = ["EPROTONOSUPPORT", "ECONNREFUSED", "EPERM", "EACCES"] as const;

/**
 * Opens a socket that the kernel can tell, in the initial network namespace, of every exit of the machine (its process
 * connector, CONFIG_PROC_EVENTS): what there is before Linux 6.15 to learn how a process ended whose parent is somebody
 * else. Undefined where nothing is told: the kernel has no connector, the thread is in another network
 * namespace, or the process in another PID or user namespace than the first, or it lacks CAP_NET_ADMIN. It tells nothing
 * yet ({@link tellExits}). Throws KernelError when there is no room for it.
 */
export function openExitEvents(receiveBufferBytes = roomBytes): number | undefined {
  let fd: number | undefined;
  try {
    fd = sys.socket(sys.AF_NETLINK, sys.SOCK_DGRAM, NETLINK_CONNECTOR);
    sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_RCVBUFFORCE, receiveBufferBytes);
    sys.attachFilter(fd, exitsOnly());
    sys.bind(fd, noGroup(), "process connector");
    tellExits(fd, true);
    const isTold = isAcknowledged(fd);
    if (isTold) {
      tellExits(fd, false);
      return fd;
    }
  } catch (error) {
    if (fd !== undefined) sys.close(fd);
    if (isKernelError(error, ...toldNothing)) return undefined;
    throw error;
  }
  sys.close(fd);
  return undefined;
}

/**
 * Has the kernel tell of exits, or no longer: it builds a message of each as long as anybody wants them, also one
 * who has closed its socket without saying so, and before Linux 6.6 for all of the group.
 */
export function tellExits(fd: number, isWanted: boolean): void {
  sys.setsockopt(fd, SOL_NETLINK, isWanted ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, CN_IDX_PROC);
  const operation = isWanted ? PROC_CN_MCAST_LISTEN : PROC_CN_MCAST_IGNORE;
  sys.send(
    fd,
    request(operation),
    isWanted ? "PROC_CN_MCAST_LISTEN" : "PROC_CN_MCAST_IGNORE",
    "process connector",
  );
}

/** Writes down all exits that wait in the socket. */
export function readExits(fd: number, buffer: Buffer, table: ExitTable): void {
  for (;;) {
    const length = receive(fd, buffer);
    if (length === undefined) return;
    if (length < eventBytes || buffer.readUInt32LE(what) !== PROC_EVENT_EXIT) continue;
    const thread = buffer.readUInt32LE(eventData);
    const pid = buffer.readUInt32LE(eventData + 4);
    table.add(pid, thread, buffer.readUInt32LE(eventData + 8)); // its exit code is a wait status
  }
}

/** The length of the next message; undefined when there is none. */
function receive(fd: number, buffer: Buffer): number | undefined {
  for (;;) {
    try {
      return sys.recvNow(fd, buffer, "process connector");
    } catch (error) {
      // Those that the kernel had no room for are lost, and what they told is unknown.
      if (!isKernelError(error, "EINTR", "ENOBUFS")) throw error;
    }
  }
}

/** The kernel answers while it is asked, and says nothing to whom it will tell nothing. */
function isAcknowledged(fd: number): boolean {
  const buffer = Buffer.alloc(eventBytes);
  for (;;) {
    const length = receive(fd, buffer);
    if (length === undefined) return false;
    // Its errors are positive there; all listeners hear what others are answered.
    const isAnswer =
      buffer.readUInt32LE(what) === PROC_EVENT_NONE && buffer.readUInt32LE(acknowledged) === tag + 1;
    if (isAnswer) return buffer.readUInt32LE(eventData) === 0;
  }
}

/** By which the own answer is known: the kernel adds 1. */
const tag = process.pid;

/** struct nlmsghdr, struct cn_msg (index, value, sequence, acknowledgement, length, flags), enum proc_cn_mcast_op. */
function request(operation: number): Buffer {
  const message = Buffer.alloc(40);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(NLMSG_DONE, 4);
  message.writeUInt32LE(CN_IDX_PROC, 16);
  message.writeUInt32LE(CN_VAL_PROC, 20);
  message.writeUInt32LE(tag, 28);
  message.writeUInt16LE(4, 32);
  message.writeUInt32LE(operation, 36);
  return message;
}

/** struct sockaddr_nl: family, padding, port (0: the kernel chooses), groups. */
function noGroup(): Buffer {
  const address = Buffer.alloc(12);
  address.writeUInt16LE(sys.AF_NETLINK, 0);
  return address;
}

/** Forks, execs and the rest do not wake the thread. */
function exitsOnly(): Buffer {
  // The number is in the host's byte order, and BPF loads it in the network's.
  const swapped = Buffer.alloc(4);
  swapped.writeUInt32LE(PROC_EVENT_EXIT);
  return encodeBpf([
    [bpf.loadWord, 0, 0, what],
    [bpf.jumpIfEqual, 1, 0, swapped.readUInt32BE()],
    [bpf.jumpIfEqual, 0, 1, PROC_EVENT_NONE],
    [bpf.return, 0, 0, wholeMessage],
    [bpf.return, 0, 0, 0],
  ]);
}
