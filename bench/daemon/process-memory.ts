import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { TestDaemon } from "../../test/e2e/daemon/test-daemon.ts";

/** What a process has in memory, MB: VmRSS of proc_pid_status(5). Throws when it has ended. */
export function residentOf(pid: number): number {
  return megabytes(readFileSync(`/proc/${pid}/status`, "utf8"), "VmRSS");
}

/** The processes beside the daemon that weft keeps for itself: those that still wait for a command to become. */
export function waitingProcesses({ pid }: Pick<TestDaemon, "pid">): readonly number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  const children = threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
  return children.filter(isNode);
}

function isNode(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) === process.execPath;
  } catch {
    return false; // it has ended
  }
}

/** What the machine has left, MB. */
export function available(): number {
  return megabytes(readFileSync("/proc/meminfo", "utf8"), "MemAvailable");
}

function megabytes(text: string, field: string): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
  if (kilobytes === undefined) throw new Error(`no ${field} is told`);
  return Number(kilobytes) / 1000;
}
