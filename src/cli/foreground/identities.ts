import type { ProcessIdentity } from "../../api/index.ts";
import type { StartedIdentity } from "./runtime-door.ts";

/** A process as the daemon's interface speaks of it. */
export function apiIdentity({ pid, startTicks, bootId }: StartedIdentity): ProcessIdentity {
  return { Pid: pid, StartTicks: startTicks, BootId: bootId };
}

/** The same as src/runtime speaks of it. */
export function ownIdentity({ Pid, StartTicks, BootId }: ProcessIdentity): StartedIdentity {
  return { pid: Pid, startTicks: StartTicks, bootId: BootId };
}
