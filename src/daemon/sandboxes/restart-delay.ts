import type { RestartPolicy } from "../../api/index.ts";

/** The wait before the first restart, ms; each further one takes twice as long, as Docker's. */
const firstDelayMs = 100;
const longestDelayMs = 60_000;
/** A command that ran for so long begins anew with the shortest wait, ms. */
const steadyMs = 10_000;

/** What is known of a command that ended. */
export interface EndedRun {
  /** Undefined when nobody can tell. */
  readonly code: number | undefined;
  /** How long it ran, ms. */
  readonly ranMs: number;
  /** How often it was started again by itself before. */
  readonly restarts: number;
  /** The wait before it was started last, ms; 0 when a person started it. */
  readonly lastDelayMs: number;
}

/** How long to wait before a command is started again, ms; undefined when its policy does not want it. */
export function restartDelay(policy: RestartPolicy, run: EndedRun): number | undefined {
  if (!wantsRestart(policy, run)) return undefined;
  return longerDelay(run.ranMs >= steadyMs ? 0 : run.lastDelayMs);
}

/** The wait after one of `lastDelayMs`; the shortest after none, ms. */
export function longerDelay(lastDelayMs: number): number {
  return Math.min(Math.max(lastDelayMs * 2, firstDelayMs), longestDelayMs);
}

function wantsRestart({ Name, MaximumRetryCount }: RestartPolicy, { code, restarts }: EndedRun): boolean {
  if (Name === "always" || Name === "unless-stopped") return true;
  // What ended while nobody looked is not taken for a failure.
  if (Name !== "on-failure" || code === undefined || code === 0) return false;
  return MaximumRetryCount === 0 || restarts < MaximumRetryCount;
}
