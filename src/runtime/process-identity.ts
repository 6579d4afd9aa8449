import { readFileSync } from "node:fs";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";

/** Tells one process from any later one that gets its number, also of a later boot. Can be stored. */
export interface ProcessIdentity {
  /** Its process id as the host sees it. */
  readonly pid: number;
  /** When it started, in clock ticks since the boot: field 22 of proc_pid_stat(5). */
  readonly startTicks: number;
  /** The boot that it started in: /proc/sys/kernel/random/boot_id. */
  readonly bootId: string;
}

let ownBoot: string | undefined;

/** The id of this boot. */
export function bootId(): string {
  ownBoot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return ownBoot;
}

/** The identity of a process that has not been reaped. Throws Node's ENOENT or ESRCH for another. */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, startTicks: processStat(pid).startTicks, bootId: bootId() };
}

/** A look at /proc/PID/stat. */
export interface ProcessStat {
  readonly startTicks: number;
  /** The wait status of a process that has ended and has not been reaped. */
  readonly waitStatus: number | undefined;
}

/** What a process that has not been reaped says of itself. Throws Node's ENOENT or ESRCH for another. */
export function processStat(pid: number): ProcessStat {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // Field 2, the program's name in parentheses, may hold spaces and parentheses; field 3 comes after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    startTicks: Number(fields[22 - 3]),
    waitStatus: fields[0] === "Z" ? Number(fields[52 - 3]) : undefined,
  };
}

/**
 * A pidfd of a process, to be closed by the caller; undefined when it has been reaped, also when its number stands
 * for another by now. Throws KernelError.
 */
export function openProcess(identity: ProcessIdentity): number | undefined {
  if (identity.bootId !== bootId()) return undefined;
  let pidfd: number;
  try {
    pidfd = sys.pidfdOpen(identity.pid);
  } catch (error) {
    if (isKernelError(error, "ESRCH", "EINVAL")) return undefined; // EINVAL: a thread has the number now
    throw error;
  }
  // Looked at after the open: from now on the number cannot come to stand for another unnoticed.
  if (isStill(identity)) return pidfd;
  sys.close(pidfd);
  return undefined;
}

function isStill({ pid, startTicks }: ProcessIdentity): boolean {
  try {
    return processStat(pid).startTicks === startTicks;
  } catch {
    return false; // reaped meanwhile
  }
}
