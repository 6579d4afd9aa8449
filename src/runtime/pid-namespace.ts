import * as sys from "../kernel/syscalls.ts";

/** Where the calling thread's children are born. */
const childrenNamespace = "/proc/thread-self/ns/pid_for_children";

/**
 * Runs `spawn`, whose child becomes pid 1 of a new PID namespace, and lets the calling thread's later
 * children be born at home again. `spawn` must start one child, synchronously, and no thread. Throws
 * KernelError, and what `spawn` throws; if the thread cannot go back, the process is ended, for later
 * commands would land in this one's namespace and die with it.
 */
export function inNewPidNamespace<T>(spawn: () => T): T {
  const home = sys.open(childrenNamespace, sys.O_RDONLY);
  try {
    sys.unshare(sys.CLONE_NEWPID);
    try {
      return spawn();
    } finally {
      returnHome(home);
    }
  } finally {
    sys.close(home);
  }
}

function returnHome(home: number): void {
  try {
    sys.setns(home, sys.CLONE_NEWPID, "own PID namespace");
  } catch (error) {
    process.stderr.write(`weft: cannot return to the own PID namespace: ${String(error)}\n`);
    process.abort();
  }
}
