import { closeSync, fstatSync, ftruncateSync, openSync } from "node:fs";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";

/**
 * A command writes to its log file by itself, always at the end, and nobody stands in between. To bound the file,
 * its oldest blocks are given back to the file system: what is left keeps its place, so that neither the writer nor
 * a reader notices, and nothing that is kept is ever moved or lost. The file's size grows on; the room it takes
 * does not (`du` tells it, `ls` does not).
 */

/** A file system refuses offsets beyond its own limit, ext4 those of 16 TiB; from here on a log begins at 0 again. */
const highestOffset = 2 ** 40;

/** Where what is left of a log begins, which may be in the middle of a line unless it is 0. */
export function startOfLog(fd: number): number {
  return sys.dataAfter(fd, 0) ?? fstatSync(fd).size;
}

/**
 * Gives back the oldest part of the log at `path` when it holds more than `maxBytes`: a quarter of that, at least,
 * so that this is rare. Gives the bytes that are left. On a file system without holes all of it goes; so it does,
 * where blocks cannot be taken out, at 1 TiB. Throws KernelError, and Node's ENOENT.
 */
export function trimLog(path: string, maxBytes: number): number {
  const fd = openSync(path, "r+");
  try {
    const { size, blksize } = fstatSync(fd);
    const start = startOfLog(fd);
    if (size - start <= maxBytes) return size - start;
    const wanted = size - Math.ceil((maxBytes * 3) / 4);
    const end = wanted - (wanted % blksize); // within a block, zeros would be left
    if (end <= start) return size - start;
    return giveBack(fd, start, end) ? size - end : 0;
  } finally {
    closeSync(fd);
  }
}

/** Gives back what lies before `end`; false when that took all of the file. */
function giveBack(fd: number, start: number, end: number): boolean {
  try {
    sys.punchHole(fd, start, end - start);
    if (end < highestOffset) return true;
    sys.collapseRange(fd, 0, end);
    return true;
  } catch (error) {
    if (!isKernelError(error, "EOPNOTSUPP", "EINVAL", "ENOSYS")) throw error;
    ftruncateSync(fd, 0);
    return false;
  }
}
