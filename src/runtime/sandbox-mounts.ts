import { WeftError } from "../core/index.ts";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";
import { hideHost } from "./hidden-paths.ts";
import type { NewPlace } from "./init-protocol.ts";
import { HeldPaths, isWithin, mountPoints, plainData } from "./mount-table.ts";
import { deviceFiles, enterRoot, makeFolder, mountDevices } from "./root-folder.ts";
import { mountFiles } from "./sandbox-file-mounts.ts";

const cgroups = "/sys/fs/cgroup";

/**
 * Gives this process a mount namespace in which a command sees its sandbox: its root, the sandbox's files, the
 * /sys of its network namespace (read-only, as containers have it, with the host's cgroups) and the /proc of its
 * PID namespace. Both namespaces must have been entered before. Nothing is changed on the host, but for mount
 * points that a root folder lacks, and all of it is gone with the last process of the sandbox. Throws
 * KernelError, LAUNCH.
 */
export function mountSandbox(place: NewPlace): void {
  const { files, rootfs, readOnly, privileged } = place;
  sys.unshare(sys.CLONE_NEWNS);
  // Slave, not private: what the host unmounts later goes away here too, and nothing goes the other way.
  sys.mount(null, "/", null, sys.MS_REC | sys.MS_SLAVE, null);
  letGoOfNamespaces();
  const sources = files.map(({ source }) => source);
  const held = new HeldPaths([
    ...sources,
    cgroups,
    ...(rootfs === undefined ? [] : privileged ? ["/dev"] : deviceFiles),
  ]);
  try {
    const missing = sources.find((source) => !held.has(source));
    if (missing !== undefined) {
      throw new WeftError("LAUNCH", `cannot show ${missing} in a sandbox: no such file`);
    }
    if (rootfs !== undefined) enterRoot(rootfs, privileged);
    mountProc();
    mountFiles(files, held, rootfs !== undefined);
    mountSys(held, privileged);
    if (rootfs !== undefined) mountDevices(held, privileged);
  } finally {
    held.close();
  }
  if (!privileged) hideHost();
  if (readOnly) closeRoot();
}

/**
 * A copied bind mount of a namespace keeps that namespace alive, with all its links, for as long as the
 * command runs: other sandboxes could not be removed meanwhile.
 */
function letGoOfNamespaces(): void {
  for (const { path, type } of mountPoints()) {
    if (type === "nsfs") detachIfThere(path);
  }
}

function detachIfThere(path: string): void {
  try {
    sys.umount(path, sys.MNT_DETACH);
  } catch {
    // Another mount covers it, so no process of the sandbox can reach it by this path either.
  }
}

function mountProc(): void {
  makeFolder("/proc");
  sys.mount("proc", "/proc", "proc", plainData, null);
}

function mountSys(held: HeldPaths, privileged: boolean): void {
  makeFolder("/sys");
  try {
    sys.mount("sysfs", "/sys", "sysfs", privileged ? plainData : plainData | sys.MS_RDONLY, null);
  } catch (error) {
    // The kernel refuses to cover a sysfs by itself: a sandbox in the host's own network keeps the host's.
    if (isKernelError(error, "EBUSY")) return;
    throw error;
  }
  if (!held.has(cgroups)) return;
  held.show(cgroups, cgroups);
  if (!privileged) sys.setMountAttributes(cgroups, sys.MOUNT_ATTR_RDONLY, true);
}

/** Lets nothing be written but in /proc, /sys and /dev, which have rules of their own. */
function closeRoot(): void {
  for (const { path } of mountPoints()) {
    if (["/proc", "/sys", "/dev"].some((folder) => isWithin(path, folder))) continue;
    try {
      sys.setMountAttributes(path, sys.MOUNT_ATTR_RDONLY, false);
    } catch (error) {
      // Another mount covers it: nobody can reach it by this path.
      if (!isKernelError(error, "EINVAL", "ENOENT", "ENOTDIR")) throw error;
    }
  }
}
