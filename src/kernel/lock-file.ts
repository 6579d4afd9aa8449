import { ftruncateSync, writeSync } from "node:fs";
import * as sys from "./syscalls.ts";

/** Opens and locks a file for as long as the fd is open. Throws KernelError, EWOULDBLOCK when another process has it. */
export function lockFile(path: string): number {
  const fd = sys.open(path, sys.O_RDWR | sys.O_CREAT, 0o600);
  try {
    sys.flock(fd, sys.LOCK_EX | sys.LOCK_NB, path);
    return fd;
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

/** Writes the pid of the lock's holder into its file. */
export function writeLock(fd: number, pid: number): void {
  ftruncateSync(fd, 0);
  writeSync(fd, `${pid}\n`, 0);
}

/** Closes a lock, or a socket that this folder opened. Throws KernelError. */
export function closeFd(fd: number): void {
  sys.close(fd);
}
