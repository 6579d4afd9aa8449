import { readFileSync } from "node:fs";
import { type Clock, systemClock } from "../../core/index.ts";

/** How often it is looked whether a process has ended, in ms. */
const lookEveryMs = 20;

/** True while a process of that number is there and has not ended. */
export function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Behind the program's name, which may hold parentheses: its state, Z when it has ended (proc_pid_stat(5)).
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
  } catch {
    return false;
  }
}

/** Waits for the end of a process that may be no child of this one; false when it has not come within `timeoutMs`. */
export async function ends(pid: number, timeoutMs: number, clock: Clock = systemClock): Promise<boolean> {
  for (let waitedMs = 0; runs(pid); waitedMs += lookEveryMs) {
    if (waitedMs >= timeoutMs) return false;
    await clock.sleep(lookEveryMs);
  }
  return true;
}
