import { closeSync, lstatSync, mkdirSync, openSync, statSync, symlinkSync } from "node:fs";
import { messageOf, WeftError } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";
import { type HeldPaths, isThere, plainData } from "./mount-table.ts";

/** Devices that do no harm, which every program expects. */
export const deviceFiles = ["/dev/full", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero"];

const deviceLinks = [
  ["/proc/self/fd", "/dev/fd"],
  ["/proc/self/fd/0", "/dev/stdin"],
  ["/proc/self/fd/1", "/dev/stdout"],
  ["/proc/self/fd/2", "/dev/stderr"],
  ["pts/ptmx", "/dev/ptmx"],
] as const;

/**
 * Makes the folder `rootfs`, with what is mounted in it, the root of this process's mount namespace: from now on
 * no path, and no symbolic link of the folder, leads out of it. Device files in it are of no use unless `devices`:
 * CAP_MKNOD, which containers have, would lead to the host's disks. What is to be shown of the former root has to
 * be held before. Throws KernelError, INVALID_COMMAND.
 */
export function enterRoot(rootfs: string, devices: boolean): void {
  if (statSync(rootfs, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new WeftError("INVALID_COMMAND", `rootfs ${JSON.stringify(rootfs)} is no folder`);
  }
  sys.mount(rootfs, rootfs, null, sys.MS_BIND | sys.MS_REC, null);
  if (!devices) sys.setMountAttributes(rootfs, sys.MOUNT_ATTR_NODEV, true);
  process.chdir(rootfs);
  sys.pivotRoot(".", ".");
  // The former root lies on the new one, and a `..` that comes to / would lead into it: it goes before any path is used.
  sys.umount(".", sys.MNT_DETACH);
  process.chdir("/");
}

/** Makes a folder to mount on, if it is missing. Throws LAUNCH, also for a symbolic link in its place. */
export function makeFolder(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found !== undefined) throw new WeftError("LAUNCH", `cannot mount on ${path}: it should be a folder`);
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new WeftError("LAUNCH", `cannot make the folder ${path}: ${messageOf(error)}`);
  }
}

/**
 * Gives the root a /dev: the harmless devices of the host, terminals and shared memory of its own; or, for
 * `all`, the host's. Throws KernelError, LAUNCH.
 */
export function mountDevices(held: HeldPaths, all: boolean): void {
  makeFolder("/dev");
  if (all) {
    held.show("/dev", "/dev");
    return;
  }
  // Nothing that is made in here is a device: those of the host are mounts of their own.
  sys.mount("weft", "/dev", "tmpfs", sys.MS_NOSUID | sys.MS_NODEV, "mode=0755,size=64m");
  for (const path of deviceFiles) {
    if (!held.has(path)) continue;
    closeSync(openSync(path, "wx", 0o666));
    held.show(path, path);
  }
  for (const [target, path] of deviceLinks) symlinkSync(target, path);
  for (const path of ["/dev/pts", "/dev/shm", "/dev/mqueue"]) mkdirSync(path, { mode: 0o755 });
  const terminals = "newinstance,ptmxmode=0666,mode=0620,gid=5";
  sys.mount("devpts", "/dev/pts", "devpts", sys.MS_NOSUID | sys.MS_NOEXEC, terminals);
  sys.mount("shm", "/dev/shm", "tmpfs", plainData, "mode=1777,size=64m");
  sys.mount("mqueue", "/dev/mqueue", "mqueue", plainData, null);
}

/** Makes an empty file to mount on; false when that cannot be, or a symbolic link that leads nowhere is there. */
export function makeFile(path: string): boolean {
  if (isThere(path)) return true;
  try {
    closeSync(openSync(path, "wx", 0o644));
    return true;
  } catch {
    return false;
  }
}
