import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, rmSync, unlinkSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { WeftError } from "../core/index.ts";
import { isKernelError } from "./kernel-error.ts";
import * as sys from "./syscalls.ts";

/** The calling thread's own namespace; /proc/self would be the main thread's. */
const ownNetns = "/proc/thread-self/ns/net";

/** Opens a network namespace by path, `/proc/PID/ns/net` or a bind mount of it. Throws KernelError. */
export function openNetns(path: string): number {
  return sys.open(path, sys.O_RDONLY);
}

/**
 * Runs `work` with the calling thread inside the namespace that `fd` stands for, and goes back. What
 * `work` opens (sockets, files below /proc/sys/net) stays in that namespace for good. `work` must be
 * synchronous: other JavaScript would run in the wrong namespace. The main thread's own namespace is taken to be the
 * same for as long as the process lives. Throws KernelError when the namespace
 * cannot be entered; if the thread cannot go back, the process is ended, for nothing it does is safe then.
 */
export function inNetns<T>(fd: number, work: () => T): T {
  return elsewhere(() => sys.setns(fd, sys.CLONE_NEWNET, `network namespace fd ${fd}`), work);
}

/** {@link inNetns} by path. */
export function inNetnsAt<T>(path: string, work: () => T): T {
  const fd = openNetns(path);
  try {
    return inNetns(fd, work);
  } finally {
    sys.close(fd);
  }
}

/**
 * Runs `work` with the calling thread inside a new network namespace, which is nowhere mounted: once `work`
 * has closed what it opened there, the kernel takes the namespace down in the background, also when the
 * process is killed meanwhile. Otherwise as {@link inNetns}.
 */
export function inNewNetns<T>(work: () => T): T {
  return elsewhere(() => sys.unshare(sys.CLONE_NEWNET), work);
}

/**
 * The main thread's own namespace, opened at its first way out and kept: opening it is half of what a way there and
 * back costs. Of other threads nothing is kept, for nobody would close it when they end.
 */
let home: number | undefined;
let isAway = false;

/** Goes by `enter` to another namespace, does `work` there, and goes back to where the thread was. */
function elsewhere<T>(enter: () => void, work: () => T): T {
  const isKept = isMainThread && !isAway;
  const back = (isKept ? home : undefined) ?? sys.open(ownNetns, sys.O_RDONLY);
  if (isKept) home = back;
  const wasAway = isAway;
  try {
    enter();
    isAway = true;
    try {
      return work();
    } finally {
      returnTo(back);
      isAway = wasAway;
    }
  } finally {
    if (!isKept) sys.close(back);
  }
}

function returnTo(back: number): void {
  try {
    sys.setns(back, sys.CLONE_NEWNET, "own network namespace");
  } catch (error) {
    process.stderr.write(`weft: cannot return to the own network namespace: ${String(error)}\n`);
    process.abort();
  }
}

/**
 * Makes a new network namespace that lives as a bind mount at `path` until {@link removeNetns}. Throws
 * KernelError, EEXIST when the file is there; then nothing was made. A private mount must hold the
 * folder ({@link mountPrivateFolder}), else other mount namespaces keep the namespace alive.
 */
export function createNetns(path: string): void {
  sys.close(sys.open(path, sys.O_RDONLY | sys.O_CREAT | sys.O_EXCL, 0o400));
  try {
    inNewNetns(() => sys.mount(ownNetns, path, "none", sys.MS_BIND, null));
  } catch (error) {
    unlinkSync(path);
    throw error;
  }
}

/**
 * Gives up the bind mount of a namespace and its file. The kernel takes the namespace and every link in
 * it down in the background once no process and no other mount holds it. A path that is not there is
 * no error.
 */
export function removeNetns(path: string): void {
  try {
    sys.umount(path, sys.MNT_DETACH);
  } catch (error) {
    // EINVAL: not a mount point, as after a reboot; ENOENT: gone already.
    if (!isKernelError(error, "EINVAL", "ENOENT")) throw error;
  }
  rmSync(path, { force: true });
}

/**
 * True when a namespace is mounted at `path`: a plain file there, as after a reboot, is none. Throws KernelError where
 * that cannot be seen, as with no descriptor left: what was taken for missing would be made anew in its place.
 */
export function isNetns(path: string): boolean {
  let fd: number;
  try {
    fd = openNetns(path);
  } catch (error) {
    if (isKernelError(error, ...nothingThere)) return false;
    throw error;
  }
  try {
    return identityIfNetns(fd) !== undefined;
  } finally {
    sys.close(fd);
  }
}

/** How {@link openNetns} says that there is no such file. */
export const nothingThere = ["ENOENT", "ENOTDIR"] as const;

let nsfsDevice: number | undefined;

/** The device number of nsfs, where every namespace file lives. */
function netnsDevice(): number {
  if (nsfsDevice === undefined) {
    const fd = openSync(ownNetns, "r");
    nsfsDevice = fstatSync(fd).dev;
    closeSync(fd);
  }
  return nsfsDevice;
}

/** Tells two namespaces apart: device and inode number of the namespace behind `path`. Throws KernelError. */
export function netnsIdentity(path: string): string {
  const fd = openNetns(path);
  try {
    return netnsIdentityOfFd(fd);
  } finally {
    sys.close(fd);
  }
}

/**
 * Tells a namespace from every other one, also of the machine's former lives, which had the same paths and
 * numbers: `BOOT/DEVICE:INODE`. Throws KernelError.
 */
export function lastingNetnsIdentity(path: string): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return `${boot}/${netnsIdentity(path)}`;
}

/** {@link netnsIdentity} of an open namespace. */
export function netnsIdentityOfFd(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}

/** {@link netnsIdentityOfFd} of what may be no namespace: then undefined. */
export function identityIfNetns(fd: number): string | undefined {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return Number(dev) === netnsDevice() ? `${dev}:${ino}` : undefined;
}

/**
 * Makes `path` (mode 0700) and mounts a private tmpfs on it, unless one is there. Bind mounts below it
 * then stay in this mount namespace, although systemd makes / a shared mount. Throws KernelError.
 */
export function mountPrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!isMountPoint(path))
    sys.mount("weft", path, "tmpfs", sys.MS_NOSUID | sys.MS_NODEV | sys.MS_NOEXEC, "mode=0700");
  // Also one that was there: who mounted it may have been killed before this.
  sys.mount(null, path, null, sys.MS_PRIVATE, null);
}

/** Unmounts what {@link mountPrivateFolder} mounted, with all below it, and removes the folder. */
export function unmountPrivateFolder(path: string): void {
  if (isMountPoint(path)) sys.umount(path, sys.MNT_DETACH);
  rmSync(path, { recursive: true, force: true });
}

/** True when something is mounted at `path` in this mount namespace. `path` is absolute and has no symbolic links. */
export function isMountPoint(path: string): boolean {
  const wanted = path
    .replaceAll("\\", "\\134")
    .replaceAll(" ", "\\040")
    .replaceAll("\t", "\\011")
    .replaceAll("\n", "\\012");
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[4] === wanted);
}

/** Throws NO_ROOT unless this process may change network and mount namespaces. */
export function requireRoot(): void {
  if (process.geteuid?.() === 0) return;
  throw new WeftError("NO_ROOT", "weft needs root to make network namespaces: run this program as root");
}
