import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { WeftError } from "../core/index.ts";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";
import type { SandboxFile } from "./command.ts";

const plainData = sys.MS_NOSUID | sys.MS_NODEV | sys.MS_NOEXEC;

/**
 * Gives this process a mount namespace in which a command sees its sandbox: `files`, the /sys of its
 * network namespace (read-only, as containers have it, with the host's cgroups) and the /proc of its PID
 * namespace. Both namespaces must have been entered before. Nothing is changed on the host, and all of it
 * is gone with the last process of the sandbox. Throws KernelError, LAUNCH.
 */
export function mountSandbox(files: readonly SandboxFile[]): void {
  sys.unshare(sys.CLONE_NEWNS);
  // Slave, not private: what the host unmounts later goes away here too, and nothing goes the other way.
  sys.mount(null, "/", null, sys.MS_REC | sys.MS_SLAVE, null);
  letGoOfNamespaces();
  mountFiles(files);
  mountSys();
  sys.mount("proc", "/proc", "proc", plainData, null);
}

interface MountPoint {
  readonly path: string;
  readonly type: string;
}

/** The mounts of this process (proc_pid_mountinfo(5)), in the order in which they were made. */
function mountPoints(): MountPoint[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const fields = line.split(" ");
      const type = fields[fields.indexOf("-") + 1] ?? "";
      return { path: unescapePath(fields[4] ?? ""), type };
    });
}

function unescapePath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_all, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
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

function mountFiles(files: readonly SandboxFile[]): void {
  for (const { source } of files) {
    if (!isThere(source)) throw new WeftError("LAUNCH", `cannot show ${source} in a sandbox: no such file`);
  }
  const missing = files.map(({ target }) => target).filter((target) => !isThere(target));
  for (const folder of new Set(missing.map((target) => dirname(target)))) {
    addNames(
      folder,
      missing.filter((target) => dirname(target) === folder).map((target) => basename(target)),
    );
  }
  for (const { source, target } of files) sys.mount(source, target, null, sys.MS_BIND, null);
}

/** True unless nothing is at `path`, or only a symbolic link that leads nowhere. */
function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/**
 * Makes empty files `names` in `folder` for this mount namespace only: an overlay whose upper layer, in
 * memory, takes them and whatever else the sandbox writes there.
 */
function addNames(folder: string, names: readonly string[]): void {
  if (!isThere(folder)) throw new WeftError("LAUNCH", `cannot show a file in ${folder}: no such folder`);
  const lower = realpathSync(folder);
  const scratch = "/sys"; // any folder that surely is there; its own mount comes afterwards
  sys.mount("weft", scratch, "tmpfs", plainData, "mode=0755");
  try {
    const upper = join(scratch, "upper");
    const work = join(scratch, "work");
    mkdirSync(upper);
    mkdirSync(work);
    // The folder that the overlay shows has its upper layer's owner and mode.
    const { mode, uid, gid } = statSync(lower);
    chmodSync(upper, mode);
    chownSync(upper, uid, gid);
    for (const name of names) writeFileSync(join(upper, name), "");
    const options = `lowerdir=${escapeLayer(lower)},upperdir=${upper},workdir=${work}`;
    const kept = topmostBelow(lower, mountPoints());
    mountKeeping(kept, () => sys.mount("weft", lower, "overlay", sys.MS_NOSUID | sys.MS_NODEV, options));
  } finally {
    sys.umount(scratch, sys.MNT_DETACH);
  }
}

function escapeLayer(path: string): string {
  return path.replace(/[\\:,]/g, "\\$&");
}

/** The mounts below `folder`, less those that lie below another of them. */
function topmostBelow(folder: string, mounts: readonly MountPoint[]): string[] {
  const below = new Set(mounts.map(({ path }) => path).filter((path) => path.startsWith(`${folder}/`)));
  return [...below].filter((path) => ![...below].some((other) => path.startsWith(`${other}/`)));
}

function mountSys(): void {
  const cgroups = mountPoints().some(({ path }) => path === "/sys/fs/cgroup") ? ["/sys/fs/cgroup"] : [];
  try {
    mountKeeping(cgroups, () => sys.mount("sysfs", "/sys", "sysfs", plainData | sys.MS_RDONLY, null));
  } catch (error) {
    // The kernel refuses to cover a sysfs by itself: a sandbox in the host's own network keeps the host's.
    if (!isKernelError(error, "EBUSY")) throw error;
  }
}

/** Runs `mountOver`, which covers the mounts at `paths`, and shows these at their paths again. */
function mountKeeping(paths: readonly string[], mountOver: () => void): void {
  const kept = paths.map((path) => ({ path, fd: sys.open(path, sys.O_PATH) }));
  try {
    mountOver();
    for (const { path, fd } of kept) {
      sys.mount(`/proc/self/fd/${fd}`, path, null, sys.MS_BIND | sys.MS_REC, null);
    }
  } finally {
    for (const { fd } of kept) sys.close(fd);
  }
}
