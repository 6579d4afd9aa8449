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
 * What is at `paths` now, with the mounts below it, to be shown elsewhere later, when other mounts cover it or the
 * root is another, and the former one gone. Those that are not there are left out.
 */
export class HeldPaths {
  readonly #trees = new Map<string, number>();
  readonly #shown = new Set<string>();

  constructor(paths: readonly string[]) {
    try {
      for (const path of new Set(paths)) if (isThere(path)) this.#trees.set(path, sys.cloneTree(path));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  has(path: string): boolean {
    return this.#trees.has(path);
  }

  /** Shows what was at `path` at `target`; a second time needs a /proc. Throws KernelError. */
  show(path: string, target: string): void {
    const tree = this.#trees.get(path);
    if (tree === undefined) return;
    if (this.#shown.has(path)) {
      // It is a mount of this namespace now, of which another can be made.
      sys.mount(`/proc/self/fd/${tree}`, target, null, sys.MS_BIND | sys.MS_REC, null);
      return;
    }
    sys.moveMount(tree, target);
    this.#shown.add(path);
  }

  /** What was not shown goes. */
  close(): void {
    for (const tree of this.#trees.values()) sys.close(tree);
    this.#trees.clear();
  }
}
