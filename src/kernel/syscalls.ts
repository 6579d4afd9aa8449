// One file, long as it is: the first program of every command loads it, and ten files instead took 10 % more processor time
// until they were there.

// Before koffi, which is loaded by the next line.
import "./koffi-loading.ts";
import koffi from "koffi";
import { KernelError } from "./kernel-error.ts";
import { koffiIsLoaded } from "./koffi-loading.ts";

// Async calls run on koffi's own threads; 256 at once is its default and too few for a large teardown.
koffi.config({ max_async_calls: 4096 });

const libc = koffi.load("libc.so.6");

const raw = {
  socket: libc.func("int socket(int domain, int type, int protocol)"),
  bind: libc.func("int bind(int fd, const void *addr, uint32_t length)"),
  connect: libc.func("int connect(int fd, const void *addr, uint32_t length)"),
  listen: libc.func("int listen(int fd, int backlog)"),
  accept4: libc.func("int accept4(int fd, void *addr, void *length, int flags)"),
  shutdown: libc.func("int shutdown(int fd, int how)"),
  getsockname: libc.func("int getsockname(int fd, void *addr, _Inout_ uint32_t *length)"),
  setsockopt: libc.func("int setsockopt(int fd, int level, int name, const void *value, uint32_t length)"),
  getsockopt: libc.func("int getsockopt(int fd, int level, int name, void *value, _Inout_ uint32_t *length)"),
  /** The same with memory for the length, which costs less than an array that koffi copies. */
  getsockoptHere: libc.func("int getsockopt(int fd, int level, int name, void *value, void *length)"),
  send: libc.func("intptr_t send(int fd, const void *buffer, size_t length, int flags)"),
  recv: libc.func("intptr_t recv(int fd, void *buffer, size_t length, int flags)"),
  recvmsg: libc.func("intptr_t recvmsg(int fd, void *message, int flags)"),
  sendmsg: libc.func("intptr_t sendmsg(int fd, const void *message, int flags)"),
  epoll_create1: libc.func("int epoll_create1(int flags)"),
  epoll_ctl: libc.func("int epoll_ctl(int epfd, int operation, int fd, const void *event)"),
  epoll_wait: libc.func("int epoll_wait(int epfd, void *events, int count, int timeout)"),
  eventfd: libc.func("int eventfd(unsigned int value, int flags)"),
  recvmmsg: libc.func(
    "int recvmmsg(int fd, void *headers, unsigned int count, int flags, const void *timeout)",
  ),
  sendmmsg: libc.func("int sendmmsg(int fd, void *headers, unsigned int count, int flags)"),
  poll: libc.func("int poll(void *fds, unsigned long count, int timeout)"),
  open: libc.func("int open(const char *path, int flags, unsigned int mode)"),
  close: libc.func("int close(int fd)"),
  pipe2: libc.func("int pipe2(void *fds, int flags)"),
  flock: libc.func("int flock(int fd, int operation)"),
  setns: libc.func("int setns(int fd, int nstype)"),
  unshare: libc.func("int unshare(int flags)"),
  mount: libc.func(
    "int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)",
  ),
  umount2: libc.func("int umount2(const char *target, int flags)"),
  sethostname: libc.func("int sethostname(const char *name, size_t length)"),
  setdomainname: libc.func("int setdomainname(const char *name, size_t length)"),
  signal: libc.func("intptr_t signal(int number, intptr_t handler)"),
  sigprocmask: libc.func("int sigprocmask(int how, const void *set, void *old)"),
  fcntl: libc.func("int fcntl(int fd, int command, ...)"),
  /** The same with one number, which alone can be called on another thread. */
  fcntlNumber: libc.func("int fcntl(int fd, int command, int value)"),
  ioctl: libc.func("int ioctl(int fd, unsigned long request, ...)"),
  prctl: libc.func(
    "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)",
  ),
  capset: libc.func("int capset(void *header, const void *data)"),
  setsid: libc.func("int setsid(void)"),
  setpgid: libc.func("int setpgid(int pid, int group)"),
  getpgrp: libc.func("int getpgrp(void)"),
  mkfifo: libc.func("int mkfifo(const char *path, unsigned int mode)"),
  dup3: libc.func("int dup3(int from, int to, int flags)"),
  fallocate: libc.func("int fallocate(int fd, int mode, int64_t offset, int64_t length)"),
  lseek: libc.func("int64_t lseek(int fd, int64_t offset, int whence)"),
  // For calls that older C libraries have no function for.
  syscall: libc.func("long syscall(long number, ...)"),
  execve: libc.func("int execve(const char *path, const char **argv, const char **envp)"),
};

koffiIsLoaded();

function check(result: number, call: string, object: string): number {
  if (result < 0) throw new KernelError({ errno: koffi.errno(), call, object });
  return result;
}

/** sockaddr constants of include/uapi/linux/{socket,netlink}.h. */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_CLOEXEC = 0o2000000;
export const SOCK_NONBLOCK = 0o4000;
export const MSG_PEEK = 0x2;
export const MSG_DONTWAIT = 0x40;
export const MSG_TRUNC = 0x20;
const MSG_NOSIGNAL = 0x4000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_PEERCRED = 17;
export const SO_TYPE = 3;
export const SO_ERROR = 4;
export const SO_BINDTODEVICE = 25;
const SO_ATTACH_FILTER = 26;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;
export const SO_RCVTIMEO = 20;
export const SO_ACCEPTCONN = 30;
export const SO_RCVBUFFORCE = 33;
export const SO_SNDBUFFORCE = 32;
/** Protocols and their options, include/uapi/linux/{in,in6,tcp}.h. */
export const IPPROTO_IP = 0;
export const IPPROTO_TCP = 6;
export const IPPROTO_IPV6 = 41;
export const IPPROTO_SCTP = 132;
export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
export const IP_PKTINFO = 8;
export const IPV6_V6ONLY = 26;
export const IPV6_RECVPKTINFO = 49;
export const IPV6_PKTINFO = 50;
/** Of epoll(7), include/uapi/linux/eventpoll.h. */
export const EPOLLIN = 0x1;
export const EPOLLOUT = 0x4;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
export const EPOLLONESHOT = 0x40000000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;
/** Bytes of struct epoll_event, which is packed on x86-64 alone, and of what comes before its data. */
export const epollEventBytes = process.arch === "x64" ? 12 : 16;
export const epollDataOffset = process.arch === "x64" ? 4 : 8;
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NONBLOCK = 0o4000;
export const O_NOCTTY = 0o400;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
/** Flags of unshare(2) and setns(2), include/uapi/linux/sched.h. */
export const CLONE_FS = 0x200;
export const CLONE_NEWNS = 0x20000;
export const CLONE_NEWUTS = 0x4000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEWNET = 0x40000000;
/** Flags of mount(2), include/uapi/linux/mount.h. */
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_REMOUNT = 32;
export const MS_BIND = 4096;
export const MS_REC = 16384;
export const MS_PRIVATE = 1 << 18;
export const MS_SLAVE = 1 << 19;
export const MNT_DETACH = 2;
/** Operations of flock(2). */
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const POLLIN = 1;
/** Of fcntl(2) and sigprocmask(2). */
const F_SETFD = 2;
const F_DUPFD_CLOEXEC = 1030;
const FD_CLOEXEC = 1;
const SIG_BLOCK = 0;
const SIG_SETMASK = 2;
/** Requests to a terminal, include/uapi/asm-generic/ioctls.h. */
const TIOCSCTTY = 0x540e;
const TIOCGPGRP = 0x540f;
const TIOCSPGRP = 0x5410;
const TIOCSWINSZ = 0x5414;
const TIOCGPTPEER = 0x5441;
const TIOCGPTN = 0x80045430;
const TIOCSPTLCK = 0x40045431;
const SIOCGIWNAME = 0x8b01;
/** _IOWR(0xFF, 11, struct pidfd_info of 64 bytes), include/uapi/linux/pidfd.h. */
const PIDFD_GET_INFO = 0xc040ff0b;
const pidfdInfoBytes = 64;
const pidfdInfoExitCode = 60;
const PIDFD_INFO_EXIT = 1n << 3n;
/** Of prctl(2), include/uapi/linux/prctl.h. */
const PR_SET_DUMPABLE = 4;
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
/** Of mount_setattr(2), include/uapi/linux/mount.h. */
export const MOUNT_ATTR_RDONLY = 1n;
export const MOUNT_ATTR_NODEV = 4n;
const AT_RECURSIVE = 0x8000;
const AT_FDCWD = -100;
const OPEN_TREE_CLONE = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const MOVE_MOUNT_T_SYMLINKS = 0x10;
/** Of fallocate(2) and lseek(2). */
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const FALLOC_FL_COLLAPSE_RANGE = 8;
const SEEK_DATA = 3;
/** Numbers of system calls, the same on all architectures that Node runs on. */
const SYS_pidfd_send_signal = 424;
const SYS_pidfd_open = 434;
const SYS_pidfd_getfd = 438;
const SYS_open_tree = 428;
const SYS_move_mount = 429;
const SYS_mount_setattr = 442;
/** Older than the calls that got one number everywhere; include/uapi/asm-generic/unistd.h for the newer architectures. */
const pivotRootNumbers: Readonly<Record<string, number>> = {
  x64: 155,
  ia32: 217,
  arm: 218,
  s390x: 217,
  ppc64: 203,
};
const SYS_pivot_root = pivotRootNumbers[process.arch] ?? 41;

/** Opens a socket in the calling thread's network namespace, close-on-exec. Throws KernelError. */
export function socket(domain: number, type: number, protocol: number): number {
  const fd = raw.socket(domain, type | SOCK_CLOEXEC, protocol);
  return fd < 0 ? check(fd, "socket", `domain ${domain} protocol ${protocol}`) : fd;
}

/** Binds `fd` to a sockaddr given as bytes; `object` names, or gives the name of, the address in an error. Throws KernelError. */
export function bind(fd: number, address: Uint8Array, object: string | (() => string)): void {
  const result = raw.bind(fd, address, address.length);
  if (result < 0) check(result, "bind", typeof object === "string" ? object : object());
}

/** Connects `fd` to a sockaddr given as bytes. Throws KernelError. */
export function connect(fd: number, address: Uint8Array, object: string): void {
  check(raw.connect(fd, address, address.length), "connect", object);
}

/** Makes a stream socket listen. Throws KernelError. */
export function listen(fd: number, backlog: number): void {
  const result = raw.listen(fd, backlog);
  if (result < 0) check(result, "listen", `fd ${fd}`);
}

/** The sockaddr that `fd` is bound to, as bytes. Throws KernelError. */
export function getsockname(fd: number): Buffer {
  const address = Buffer.alloc(128);
  const length = [address.length];
  check(raw.getsockname(fd, address, length), "getsockname", `fd ${fd}`);
  return address.subarray(0, length[0]);
}

/** The value of an option, for as long as the call takes. */
const optionValue = Buffer.alloc(4);

/** Sets an int-valued socket option. Throws KernelError. */
export function setsockopt(fd: number, level: number, name: number, value: number): void {
  optionValue.writeInt32LE(value);
  const result = raw.setsockopt(fd, level, name, optionValue, 4);
  if (result < 0) check(result, "setsockopt", `level ${level} option ${name}`);
}

/** Sets a socket option whose value is a struct, given as bytes. Throws KernelError. */
export function setsockoptBytes(fd: number, level: number, name: number, value: Uint8Array): void {
  check(raw.setsockopt(fd, level, name, value, value.length), "setsockopt", `level ${level} option ${name}`);
}

/** Makes receives on `fd` fail with EAGAIN after `ms`: SO_RCVTIMEO with a struct timeval of two longs. Throws KernelError. */
export function setReceiveTimeout(fd: number, ms: number): void {
  const wordBytes = koffi.sizeof("long");
  const timeval = Buffer.alloc(2 * wordBytes);
  koffi.encode(timeval, "long", Math.trunc(ms / 1000));
  koffi.encode(timeval, wordBytes, "long", (ms % 1000) * 1000);
  setsockoptBytes(fd, SOL_SOCKET, SO_RCVTIMEO, timeval);
}

/** Reads a socket option of `length` bytes. Throws KernelError. */
export function getsockopt(fd: number, level: number, name: number, length: number): Buffer {
  const value = Buffer.alloc(length);
  const size = [length];
  check(raw.getsockopt(fd, level, name, value, size), "getsockopt", `level ${level} option ${name}`);
  return value.subarray(0, size[0]);
}

const optionLength = Buffer.alloc(4);

/** Reads an int-valued socket option. Throws KernelError. */
export function getsockoptNumber(fd: number, level: number, name: number): number {
  optionLength.writeUInt32LE(4);
  const result = raw.getsockoptHere(fd, level, name, optionValue, optionLength);
  if (result < 0) check(result, "getsockopt", `level ${level} option ${name}`);
  return optionValue.readInt32LE();
}

/** Sends `buffer` and waits until the kernel has taken it. Throws KernelError. */
export function send(fd: number, buffer: Uint8Array, call: string, object: string): number {
  return check(raw.send(fd, buffer, buffer.length, 0), call, object);
}

/** Like {@link send}, on a thread of its own, for requests under which the kernel sleeps. Rejects with KernelError. */
export function sendAsync(fd: number, buffer: Uint8Array, call: string, object: string): Promise<number> {
  return new Promise((resolve, reject) => {
    raw.send.async(fd, buffer, buffer.length, 0, (error: unknown, result: number) => {
      if (error) reject(error);
      // The errno of a koffi thread is handed to the callback's thread by koffi itself.
      else if (result < 0) reject(new KernelError({ errno: koffi.errno(), call, object }));
      else resolve(result);
    });
  });
}

/** Receives one datagram; with MSG_TRUNC in `flags` the result is its true length. Throws KernelError. */
export function recv(fd: number, buffer: Uint8Array, flags: number, object: string): number {
  return check(raw.recv(fd, buffer, buffer.length, flags), "recv", object);
}

/** Of include/uapi/asm-generic/errno{-base,}.h. */
const EINTR = 4;
const ENXIO = 6;
const EAGAIN = 11;
const EINPROGRESS = 115;

/**
 * Receives one datagram if there is one; undefined at once if there is none, which is no error. With
 * MSG_TRUNC in `flags` the result is its true length. Throws KernelError.
 */
export function recvNow(fd: number, buffer: Uint8Array, object: string, flags = 0): number | undefined {
  const length = raw.recv(fd, buffer, buffer.length, MSG_DONTWAIT | flags);
  return length < 0 && koffi.errno() === EAGAIN ? undefined : check(length, "recv", object);
}

/** Takes `length` bytes that a TCP socket was seen to hold (MSG_PEEK) off it, without copying them. Throws KernelError. */
export function discard(fd: number, length: number): void {
  let left = length;
  while (left > 0) {
    const taken = checkFd(raw.recv(fd, null, left, MSG_TRUNC | MSG_DONTWAIT), "recv", fd);
    if (taken === 0) return; // the peer's end, which cannot come before what was seen
    left -= taken;
  }
}

/** Sends as much of the first `length` bytes as the kernel takes at once; undefined if nothing. Throws KernelError. */
export function sendNow(fd: number, buffer: Uint8Array, length: number): number | undefined {
  return nowOrNever(raw.send(fd, buffer, length, MSG_DONTWAIT | MSG_NOSIGNAL), "send", fd);
}

/** Receives one datagram into what a struct msghdr points to; undefined if there is none. Throws KernelError. */
export function recvmsgNow(fd: number, header: Uint8Array): number | undefined {
  return nowOrNever(raw.recvmsg(fd, header, MSG_DONTWAIT), "recvmsg", fd);
}

/** Sends one datagram that a struct msghdr describes; undefined if the kernel has no room for it. Throws KernelError. */
export function sendmsgNow(fd: number, header: Uint8Array): number | undefined {
  return nowOrNever(raw.sendmsg(fd, header, MSG_DONTWAIT | MSG_NOSIGNAL), "sendmsg", fd);
}

/** Takes a connection off a listening socket, close-on-exec and not blocking; undefined if there is none. Throws KernelError. */
export function acceptNow(fd: number): number | undefined {
  return nowOrNever(raw.accept4(fd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK), "accept4", fd);
}

const peerLength = Buffer.alloc(4);

/** {@link acceptNow} that writes the struct sockaddr of who connected into `peer`, as much as it can hold. */
export function acceptFromNow(fd: number, peer: Uint8Array): number | undefined {
  peerLength.writeUInt32LE(peer.length);
  return nowOrNever(raw.accept4(fd, peer, peerLength, SOCK_CLOEXEC | SOCK_NONBLOCK), "accept4", fd);
}

/** Connects a socket that does not block. False when that is under way: writable then means done, or SO_ERROR. Throws KernelError. */
export function connectNow(fd: number, address: Uint8Array, object: string): boolean {
  const result = raw.connect(fd, address, address.length);
  if (result < 0 && koffi.errno() === EINPROGRESS) return false;
  check(result, "connect", object);
  return true;
}

/** Ends the sending half of a connection. Throws KernelError. */
export function shutdownWrite(fd: number): void {
  check(raw.shutdown(fd, 1), "shutdown", `fd ${fd}`);
}

function nowOrNever(result: number, call: string, fd: number): number | undefined {
  return result < 0 && koffi.errno() === EAGAIN ? undefined : checkFd(result, call, fd);
}

/** {@link check} for calls made so often that the text of the error is not made before there is one. */
function checkFd(result: number, call: string, fd: number): number {
  return result < 0 ? check(result, call, `fd ${fd}`) : result;
}

/** Memory that does not move, with its address, for structs that point to it. It lives as long as `bytes` does. */
export function fixedMemory(length: number): { readonly bytes: Buffer; readonly address: bigint } {
  // Node keeps small arrays where the garbage collector moves them; buffers with storage of their own stay.
  const bytes = Buffer.from(new ArrayBuffer(length));
  return { bytes, address: koffi.address(bytes) };
}

/** A new epoll(7) instance, close-on-exec. Throws KernelError. */
export function epollCreate(): number {
  return check(raw.epoll_create1(O_CLOEXEC), "epoll_create1", "");
}

/** Adds, changes or removes what an epoll instance watches; `event` is a struct epoll_event. Throws KernelError. */
export function epollControl(epollFd: number, operation: number, fd: number, event: Uint8Array): void {
  checkFd(raw.epoll_ctl(epollFd, operation, fd, event), "epoll_ctl", fd);
}

/**
 * Waits until something watched is ready, at most `timeoutMs` (-1: no limit), and gives the number of
 * struct epoll_event written; 0 also when a signal came. Throws KernelError.
 */
export function epollWait(epollFd: number, events: Uint8Array, timeoutMs: number): number {
  const count = Math.floor(events.length / epollEventBytes);
  const result = raw.epoll_wait(epollFd, events, count, timeoutMs);
  return result < 0 && koffi.errno() === EINTR ? 0 : checkFd(result, "epoll_wait", epollFd);
}

/** A counter to wake a thread with: written to by 8 bytes, not blocking, close-on-exec. Throws KernelError. */
export function eventfd(): number {
  return check(raw.eventfd(0, O_CLOEXEC | SOCK_NONBLOCK), "eventfd", "");
}

/**
 * Makes room for descriptors up to `highest` at once. A process with threads waits for an RCU grace period
 * (5 to 20 ms) each time its table doubles. `fd` is any open one; a table that may not grow so far stays.
 */
export function growDescriptorTable(fd: number, highest: number): void {
  const copy = raw.fcntl(fd, F_DUPFD_CLOEXEC, "int", highest);
  if (copy >= 0) raw.close(copy);
}

/**
 * {@link growDescriptorTable} on a thread of its own: nobody else waits, for the table is there when they
 * need it.
 */
export function growDescriptorTableSlowly(fd: number, highest: number): Promise<void> {
  return new Promise((resolve) => {
    raw.fcntlNumber.async(fd, F_DUPFD_CLOEXEC, highest, (_error: unknown, copy: number) => {
      if (copy >= 0) raw.close(copy);
      resolve();
    });
  });
}

/** Bytes of a pointer and of a size_t. */
export const pointerBytes: 4 | 8 = koffi.sizeof("void *") === 8 ? 8 : 4;

/**
 * Where the memory of `bytes` begins, for structs that the kernel reads: it stays there, but only for as
 * long as somebody holds `bytes`. Addresses have at most 57 bits, and 53 unless a program asks for more.
 */
export function addressOf(bytes: Uint8Array | Uint32Array): number {
  return Number(koffi.address(bytes));
}

/**
 * Receives at most `count` datagrams that are there already, by an array of struct mmsghdr; gives how many,
 * none when there are none. Throws KernelError.
 */
export function recvmmsgNow(fd: number, headers: Uint8Array, count: number): number {
  const received = raw.recvmmsg(fd, headers, count, MSG_DONTWAIT, null);
  return received < 0 && koffi.errno() === EAGAIN ? 0 : check(received, "recvmmsg", `fd ${fd}`);
}

/** Sends the first `count` datagrams of an array of struct mmsghdr; gives how many went, 0 when the first was refused. */
export function sendmmsgNow(fd: number, headers: Uint8Array, count: number): number {
  return Math.max(0, raw.sendmmsg(fd, headers, count, MSG_DONTWAIT));
}

/** Waits until one of `fds` can be read; gives those that can, none after `timeoutMs` (-1: no limit). */
export function pollReadable(fds: readonly number[], timeoutMs: number): number[] {
  const set = Buffer.alloc(fds.length * 8);
  for (const [i, fd] of fds.entries()) {
    set.writeInt32LE(fd, i * 8);
    set.writeInt16LE(POLLIN, i * 8 + 4);
  }
  check(raw.poll(set, fds.length, timeoutMs), "poll", `fds ${fds.join()}`);
  return fds.filter((_fd, i) => set.readInt16LE(i * 8 + 6) !== 0);
}

/**
 * Like {@link pollReadable} for one `fd`, on a thread of its own: true when it can be read, false after
 * `timeoutMs` (-1: no limit). Rejects with KernelError, EINTR when a signal came meanwhile.
 */
export function pollReadableAsync(fd: number, timeoutMs: number): Promise<boolean> {
  const set = Buffer.alloc(8);
  set.writeInt32LE(fd, 0);
  set.writeInt16LE(POLLIN, 4);
  return new Promise((resolve, reject) => {
    raw.poll.async(set, 1, timeoutMs, (error: unknown, result: number) => {
      if (error) reject(error);
      else if (result < 0)
        reject(new KernelError({ errno: koffi.errno(), call: "poll", object: `fd ${fd}` }));
      else resolve(result > 0 && set.readInt16LE(6) !== 0);
    });
  });
}

/** A descriptor that stands for a process, never for a later one of its number; can be read once it has ended. Throws KernelError. */
export function pidfdOpen(pid: number): number {
  return check(
    Number(raw.syscall(SYS_pidfd_open, "int", pid, "unsigned int", 0)),
    "pidfd_open",
    `pid ${pid}`,
  );
}

/** Sends a signal to the process that `pidfd` stands for. Throws KernelError, ESRCH when it has been reaped. */
export function pidfdSendSignal(pidfd: number, signal: number): void {
  const result = raw.syscall(
    SYS_pidfd_send_signal,
    "int",
    pidfd,
    "int",
    signal,
    "void *",
    null,
    "unsigned int",
    0,
  );
  check(Number(result), "pidfd_send_signal", `fd ${pidfd} signal ${signal}`);
}

/** Opens a file, close-on-exec. Throws KernelError. */
export function open(path: string, flags: number, mode = 0): number {
  return check(raw.open(path, flags | O_CLOEXEC, mode), "open", path);
}

/** Closes a file descriptor. Throws KernelError. */
export function close(fd: number): void {
  check(raw.close(fd), "close", `fd ${fd}`);
}

/**
 * Closes a file descriptor on a thread of its own, for one under which the kernel sleeps: a packet
 * socket waits for an RCU grace period (10 to 20 ms). The number may be used again once it resolves.
 */
export function closeSlowly(fd: number): Promise<void> {
  return new Promise((resolve) => {
    // close(2) gives the descriptor up whatever it answers.
    raw.close.async(fd, () => resolve());
  });
}

/** A pipe, close-on-exec: the end to read from, the end to write to. Throws KernelError. */
export function pipe(): { readonly read: number; readonly write: number } {
  const fds = Buffer.alloc(8);
  check(raw.pipe2(fds, O_CLOEXEC), "pipe2", "");
  return { read: fds.readInt32LE(0), write: fds.readInt32LE(4) };
}

/** Takes or gives back an advisory lock on an open file. Throws KernelError, EWOULDBLOCK when another holds it. */
export function flock(fd: number, operation: number, path: string): void {
  check(raw.flock(fd, operation), "flock", path);
}

/** Moves the calling thread into the namespace that `fd` stands for. Throws KernelError. */
export function setns(fd: number, type: number, object: string): void {
  check(raw.setns(fd, type), "setns", object);
}

/** Gives the calling thread namespaces of its own. Throws KernelError. */
export function unshare(flags: number): void {
  check(raw.unshare(flags), "unshare", `flags 0x${flags.toString(16)}`);
}

/** mount(2). Throws KernelError. */
export function mount(
  source: string | null,
  target: string,
  type: string | null,
  flags: number,
  data: string | null,
): void {
  check(raw.mount(source, target, type, flags, data), "mount", target);
}

/** umount2(2). Throws KernelError. */
export function umount(target: string, flags: number): void {
  check(raw.umount2(target, flags), "umount2", target);
}

/** Sets the host name of the calling thread's UTS namespace. Throws KernelError. */
export function sethostname(name: string): void {
  check(raw.sethostname(name, Buffer.byteLength(name)), "sethostname", name);
}

/** Sets the NIS domain name of the calling thread's UTS namespace. Throws KernelError. */
export function setdomainname(name: string): void {
  check(raw.setdomainname(name, Buffer.byteLength(name)), "setdomainname", name);
}

/** Gives a signal its default action again; a started program inherits ignored signals. */
export function defaultSignal(number: number): void {
  raw.signal(number, 0);
}

/** Keeps `numbers` from the calling thread until {@link unblockSignals}. Throws KernelError. */
export function blockSignals(numbers: readonly number[]): void {
  const set = Buffer.alloc(128);
  for (const number of numbers) {
    const at = (number - 1) >> 3;
    set.writeUInt8(set.readUInt8(at) | (1 << ((number - 1) & 7)), at);
  }
  check(raw.sigprocmask(SIG_BLOCK, set, null), "sigprocmask", "");
}

/** Lets every signal reach the calling thread; a started program inherits the mask. Throws KernelError. */
export function unblockSignals(): void {
  const none = Buffer.alloc(128); // glibc's sigset_t
  check(raw.sigprocmask(SIG_SETMASK, none, null), "sigprocmask", "");
}

/** Says whether `fd` is closed when the process becomes another program. Throws KernelError. */
export function setCloseOnExec(fd: number, closes: boolean): void {
  check(raw.fcntl(fd, F_SETFD, "int", closes ? FD_CLOEXEC : 0), "fcntl", `fd ${fd}`);
}

/** Replaces this process by another program; returns only to throw KernelError. */
export function execve(path: string, argv: readonly string[], environment: readonly string[]): never {
  raw.execve(path, [...argv, null], [...environment, null]);
  throw new KernelError({ errno: koffi.errno(), call: "execve", object: path });
}

/**
 * The wait status of a process that has ended and has been reaped, whoever its parent was (Linux 6.15);
 * undefined for one that has not, and on older kernels.
 */
export function pidfdExitStatus(pidfd: number): number | undefined {
  const info = Buffer.alloc(pidfdInfoBytes);
  info.writeBigUInt64LE(PIDFD_INFO_EXIT, 0);
  // ESRCH, ENOTTY, EINVAL: too early, or the kernel does not know the request.
  if (raw.ioctl(pidfd, PIDFD_GET_INFO, "void *", info) < 0) return undefined;
  if ((info.readBigUInt64LE(0) & PIDFD_INFO_EXIT) === 0n) return undefined;
  return info.readInt32LE(pidfdInfoExitCode);
}

/**
 * A copy, close-on-exec, of a descriptor of the process that `pidfd` stands for. Throws KernelError, EBADF
 * when that has no such descriptor, ESRCH when it has ended.
 */
export function pidfdGetfd(pidfd: number, fd: number): number {
  const result = raw.syscall(SYS_pidfd_getfd, "int", pidfd, "int", fd, "unsigned int", 0);
  return check(Number(result), "pidfd_getfd", `fd ${pidfd} of it ${fd}`);
}

/** Makes `to` a copy of `from`, close-on-exec or not. Throws KernelError. */
export function dup3(from: number, to: number, flags: number): void {
  checkFd(raw.dup3(from, to, flags), "dup3", from);
}

/** Makes the calling process the leader of a new session. Throws KernelError, EPERM when it leads a group already. */
export function setsid(): void {
  check(raw.setsid(), "setsid", "");
}

/** Gives the calling process a process group of its own. Throws KernelError. */
export function ownProcessGroup(): void {
  check(raw.setpgid(0, 0), "setpgid", "0");
}

/** The calling process's group, in its PID namespace. */
export function processGroup(): number {
  return raw.getpgrp();
}

/** Makes `fd` the controlling terminal of the calling process's session, which it leads and which has none. Throws KernelError. */
export function takeTerminal(fd: number): void {
  check(raw.ioctl(fd, TIOCSCTTY, "int", 0), "ioctl TIOCSCTTY", `fd ${fd}`);
}

/** The foreground process group of a terminal; undefined for what is not the controlling terminal. */
export function foregroundGroup(fd: number): number | undefined {
  const group = Buffer.alloc(4);
  return raw.ioctl(fd, TIOCGPGRP, "void *", group) < 0 ? undefined : group.readInt32LE(0);
}

/** Makes `group` a terminal's foreground process group. Throws KernelError. */
export function setForegroundGroup(fd: number, group: number): void {
  const value = Buffer.alloc(4);
  value.writeInt32LE(group, 0);
  check(raw.ioctl(fd, TIOCSPGRP, "void *", value), "ioctl TIOCSPGRP", `fd ${fd}`);
}

/** True when the interface of that name, in the namespace of the socket `fd`, has wireless extensions: SIOCGIWNAME of include/uapi/linux/wireless.h. */
export function hasWirelessExtensions(fd: number, name: string): boolean {
  const request = Buffer.alloc(32); // struct iwreq: 16 bytes of name, and what is answered
  request.write(name.slice(0, 15), 0);
  return raw.ioctl(fd, SIOCGIWNAME, "void *", request) === 0;
}

/** Sets a terminal's size, in characters. Throws KernelError. */
export function setWindowSize(fd: number, columns: number, rows: number): void {
  const size = Buffer.alloc(8);
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  check(raw.ioctl(fd, TIOCSWINSZ, "void *", size), "ioctl TIOCSWINSZ", `fd ${fd}`);
}

/** The number of the pseudo-terminal that `fd` is the master of; undefined for what is no master. */
export function terminalNumber(fd: number): number | undefined {
  const number = Buffer.alloc(4);
  return raw.ioctl(fd, TIOCGPTN, "void *", number) < 0 ? undefined : number.readUInt32LE(0);
}

/** Opens the other end of the pseudo-terminal master `fd`, close-on-exec. Throws KernelError. */
export function openTerminalPeer(fd: number): number {
  check(raw.ioctl(fd, TIOCSPTLCK, "void *", Buffer.alloc(4)), "ioctl TIOCSPTLCK", `fd ${fd}`);
  const flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
  return check(raw.ioctl(fd, TIOCGPTPEER, "int", flags), "ioctl TIOCGPTPEER", `fd ${fd}`);
}

/**
 * Lets only those datagrams into a socket that a classic BPF program, an array of struct sock_filter, lets pass; it
 * takes the place of a former one. Throws KernelError.
 */
export function attachFilter(fd: number, program: Uint8Array): void {
  setsockoptBytes(fd, SOL_SOCKET, SO_ATTACH_FILTER, filterProgram(program));
}

/** struct sock_fprog: how many instructions, and where they are for as long as `program` is held. */
function filterProgram(program: Uint8Array): Buffer {
  const header = Buffer.alloc(2 * pointerBytes);
  header.writeUInt16LE(program.length / 8, 0);
  koffi.encode(header, pointerBytes, "void *", program);
  return header;
}

/**
 * Keeps processes that lack CAP_SYS_PTRACE from looking into this one: its memory, its descriptors, its program. Ends
 * with exec. Throws KernelError.
 */
export function hideProcess(): void {
  check(raw.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl PR_SET_DUMPABLE", "");
}

/**
 * Judges every system call of the calling thread, and of what it becomes and starts, by a BPF program: an array of
 * struct sock_filter (seccomp(2)). There is no way back. Throws KernelError.
 */
export function filterSyscalls(program: Uint8Array): void {
  const header = filterProgram(program);
  const result = raw.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, addressOf(header), 0, 0);
  check(result, "prctl PR_SET_SECCOMP", "");
}

/** True when the calling thread may still gain capability `number`; undefined when the kernel has none of that number. */
export function boundingHas(number: number): boolean | undefined {
  const result = raw.prctl(PR_CAPBSET_READ, number, 0, 0, 0);
  return result < 0 ? undefined : result === 1;
}

/** Takes a capability out of the calling thread's bounding set, for good. Throws KernelError. */
export function dropFromBounding(number: number): void {
  check(raw.prctl(PR_CAPBSET_DROP, number, 0, 0, 0), "prctl PR_CAPBSET_DROP", `capability ${number}`);
}

/** Empties the calling thread's ambient capabilities. Throws KernelError. */
export function clearAmbient(): void {
  const result = raw.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  check(result, "prctl PR_CAP_AMBIENT_CLEAR_ALL", "");
}

/** Sets the calling thread's effective and permitted capabilities to `set`, the inheritable ones to none. Throws KernelError. */
export function setCapabilities(set: bigint): void {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(LINUX_CAPABILITY_VERSION_3, 0);
  const data = Buffer.alloc(24);
  for (const [word, at] of [
    [set & 0xffff_ffffn, 0],
    [set >> 32n, 12],
  ] as const) {
    data.writeUInt32LE(Number(word), at);
    data.writeUInt32LE(Number(word), at + 4);
  }
  check(raw.capset(header, data), "capset", `0x${set.toString(16)}`);
}

/** Makes a FIFO. Throws KernelError, EEXIST when something is there. */
export function mkfifo(path: string, mode: number): void {
  check(raw.mkfifo(path, mode), "mkfifo", path);
}

/** Makes `newRoot` the root of the calling thread's mount namespace; the old one is at `putOld`. Throws KernelError. */
export function pivotRoot(newRoot: string, putOld: string): void {
  const result = raw.syscall(SYS_pivot_root, "const char *", newRoot, "const char *", putOld);
  check(Number(result), "pivot_root", newRoot);
}

/**
 * A copy of what is at `path`, with the mounts below it, as a mount of its own that is nowhere yet: a descriptor,
 * close-on-exec. It goes with the descriptor unless {@link moveMount} shows it somewhere. Throws KernelError.
 */
export function cloneTree(path: string): number {
  const flags = OPEN_TREE_CLONE | O_CLOEXEC | AT_RECURSIVE;
  const result = raw.syscall(SYS_open_tree, "int", AT_FDCWD, "const char *", path, "unsigned int", flags);
  return check(Number(result), "open_tree", path);
}

/** Mounts what {@link cloneTree} copied at `target`, or where that symbolic link leads. Throws KernelError. */
export function moveMount(tree: number, target: string): void {
  const result = raw.syscall(
    SYS_move_mount,
    "int",
    tree,
    "const char *",
    "",
    "int",
    AT_FDCWD,
    "const char *",
    target,
    "unsigned int",
    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS,
  );
  check(Number(result), "move_mount", target);
}

/** Gives the mount at `path` attributes, MOUNT_ATTR_*, and those below it if `deep`. Throws KernelError. */
export function setMountAttributes(path: string, attributes: bigint, deep: boolean): void {
  const request = Buffer.alloc(32); // struct mount_attr: what to set, what to clear, propagation, user namespace
  request.writeBigUInt64LE(attributes, 0);
  const result = raw.syscall(
    SYS_mount_setattr,
    "int",
    AT_FDCWD,
    "const char *",
    path,
    "unsigned int",
    deep ? AT_RECURSIVE : 0,
    "void *",
    request,
    "size_t",
    request.length,
  );
  check(Number(result), "mount_setattr", path);
}

/** Gives back what a file holds in a range, which reads as zeros from now on; its size stays. Throws KernelError. */
export function punchHole(fd: number, offset: number, length: number): void {
  const mode = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;
  check(raw.fallocate(fd, mode, offset, length), "fallocate PUNCH_HOLE", `fd ${fd}`);
}

/** Takes a range, of whole blocks, out of a file, which is shorter then. Throws KernelError. */
export function collapseRange(fd: number, offset: number, length: number): void {
  check(raw.fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, offset, length), "fallocate COLLAPSE_RANGE", `fd ${fd}`);
}

/** Where the first data at or after `offset` begins, in a file with holes; undefined when there is none. Throws KernelError. */
export function dataAfter(fd: number, offset: number): number | undefined {
  const found = Number(raw.lseek(fd, offset, SEEK_DATA));
  if (found < 0 && koffi.errno() === ENXIO) return undefined;
  return check(found, "lseek SEEK_DATA", `fd ${fd}`);
}
