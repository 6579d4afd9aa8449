import { readdirSync, readlinkSync } from "node:fs";
import * as sys from "./syscalls.ts";

/**
 * Keeps this process's descriptors for files below `folder` (absolute) from programs that it starts. For files that
 * a library opened otherwise: LMDB leaves that to its user for its data file (mdb_env_get_fd of lmdb.h). Needs
 * /proc. Throws KernelError.
 */
export function closeOnExecBelow(folder: string): void {
  for (const name of readdirSync("/proc/self/fd")) {
    if (targetOf(name)?.startsWith(`${folder}/`)) sys.setCloseOnExec(Number(name), true);
  }
}

/** Undefined for the descriptor by which the folder was read, which is closed by now. */
function targetOf(name: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${name}`);
  } catch {
    return undefined;
  }
}
