import { readFileSync, statSync } from "node:fs";
import * as sys from "../kernel/syscalls.ts";

/** The flags of a mount that holds data and nothing to run. */
export const plainData = sys.MS_NOSUID | sys.MS_NODEV | sys.MS_NOEXEC;

/** A mount of this process's mount namespace. */
export interface MountPoint {
  readonly path: string;
  readonly type: string;
}

/** The mounts of this process (proc_pid_mountinfo(5)), in the order in which they were made. */
export function mountPoints(): MountPoint[] {
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

/** True when `path` is `folder` or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** True unless nothing is at `path`, or only a symbolic link that leads nowhere. */
export function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/**
 * What is at `paths` now, to be shown elsewhere later, when other mounts cover it or the root is another. Those
 * that are not there are left out.
 */
export class HeldPaths {
  readonly #fds = new Map<string, number>();

  constructor(paths: readonly string[]) {
    try {
      for (const path of paths) if (isThere(path)) this.#fds.set(path, sys.open(path, sys.O_PATH));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  has(path: string): boolean {
    return this.#fds.has(path);
  }

  /** Shows what was at `path`, with the mounts below it, at `target`. Needs a /proc. Throws KernelError. */
  show(path: string, target: string): void {
    const fd = this.#fds.get(path);
    if (fd === undefined) return;
    sys.mount(`/proc/self/fd/${fd}`, target, null, sys.MS_BIND | sys.MS_REC, null);
  }

  close(): void {
    for (const fd of this.#fds.values()) sys.close(fd);
    this.#fds.clear();
  }
}
