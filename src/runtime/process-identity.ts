import { readFileSync } from "node:fs";

/** Tells one process of this boot from any later one that gets its number. Can be stored. */
export interface ProcessIdentity {
  /** Its process id as the host sees it. */
  readonly pid: number;
  /** When it started, in clock ticks since the boot: field 22 of proc_pid_stat(5). */
  readonly startTicks: number;
}

/** The identity of a process that has not been reaped. Throws Node's ENOENT or ESRCH for another. */
export function identityOf(pid: number): ProcessIdentity {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // Field 2, the program's name in parentheses, may hold spaces and parentheses; field 3 comes after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { pid, startTicks: Number(fields[22 - 3]) };
}
