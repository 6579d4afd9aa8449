import { WeftError } from "../core/index.ts";
import { isKernelError } from "../kernel/kernel-error.ts";
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
  return bornElsewhere(() => sys.unshare(sys.CLONE_NEWPID), spawn);
}

/**
 * {@link inNewPidNamespace} for the PID namespace of the process behind `pidfd`. Throws COMMAND_ENDED when that
 * has ended.
 */
export function inPidNamespaceOf<T>(pidfd: number, spawn: () => T): T {
  return bornElsewhere(() => {
    try {
      sys.setns(pidfd, sys.CLONE_NEWPID, "the command's PID namespace");
    } catch (error) {
      if (isKernelError(error, "ESRCH")) throw new WeftError("COMMAND_ENDED", "the command has ended");
      throw error;
    }
  }, spawn);
}

function bornElsewhere<T>(leave: () => void, spawn: () => T): T {
  const home = sys.open(childrenNamespace, sys.O_RDONLY);
  try {
    leave();
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
