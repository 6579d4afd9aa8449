import { readFileSync } from "node:fs";
import type { ProcessIdentity } from "../../api/index.ts";
import type { StartedIdentity } from "./runtime-door.ts";

/** A process as the daemon's interface speaks of it. */
export function apiIdentity({ pid, startTicks }: StartedIdentity): ProcessIdentity {
  return { Pid: pid, StartTime: String(startTicks) };
}

/** The same as src/runtime speaks of it: what the daemon tells of runs now, so it is of this boot. */
export function ownIdentity({ Pid, StartTime }: ProcessIdentity): StartedIdentity {
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return { pid: Pid, startTicks: Number(StartTime), bootId };
}
