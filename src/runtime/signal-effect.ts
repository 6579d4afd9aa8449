import { readdirSync, readFileSync } from "node:fs";
import os from "node:os";
import { systemClock } from "../core/index.ts";

/** Signals whose default action ends nothing (signal(7)). */
const harmless: ReadonlySet<number> = new Set(
  (["SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGWINCH"] as const).map(
    (name) => os.constants.signals[name],
  ),
);

/** A look at a process: its /proc/PID/status, and the /proc/PID/task/TID/syscall of each thread. */
export interface ProcessLook {
  readonly status: string;
  readonly calls: readonly string[];
}

/** What a signal does: end the process by its default action, or reach its program, now or once it is unblocked. */
export type SignalEffect = "ends" | "reaches" | "blocked";

/**
 * Whether the signal of that number would end an ordinary process that looks so. The kernel discards just these signals
 * when the process is pid 1 of its namespace. One that waits by sigwait(3) blocks the signal without
 * showing it.
 */
export function signalEffect(look: ProcessLook, signal: number): SignalEffect {
  if (harmless.has(signal)) return "reaches";
  const bit = 1n << BigInt(signal - 1);
  const isIn = (field: string) => (signalSet(look.status, field) & bit) !== 0n;
  if (isIn("SigCgt") || isIn("SigIgn")) return "reaches";
  return isIn("SigBlk") || look.calls.some(isSigwait) ? "blocked" : "ends";
}

/** Some programs block everything for a moment while they start another; waited out for this long. */
const looksAtMost = 10;
const betweenLooksMs = 5;

/** True when the signal of that number would end the process `pid` if it were none that is pid 1 of its namespace. */
export async function wouldEnd(pid: number, signal: number): Promise<boolean> {
  for (let looks = 0; looks < looksAtMost; looks++) {
    // Two, for the parts of one are not read at one moment.
    const effects = [signalEffect(lookAt(pid), signal), signalEffect(lookAt(pid), signal)];
    if (effects.includes("reaches")) return false;
    if (!effects.includes("blocked")) return true;
    await systemClock.sleep(betweenLooksMs);
  }
  return false;
}

function signalSet(status: string, field: string): bigint {
  const hex = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1];
  return BigInt(`0x${hex ?? "0"}`);
}

/** The numbers of rt_sigtimedwait, by Node's name of the architecture; elsewhere that of newer ones. */
const sigwaitNumbers: Readonly<Record<string, string>> = {
  x64: "128",
  arm: "177",
  ia32: "177",
  s390x: "177",
  ppc64: "176",
};
const sigwaitNumber = sigwaitNumbers[process.arch] ?? "137";

function isSigwait(call: string): boolean {
  return call.startsWith(`${sigwaitNumber} `);
}

/** Empty, as if it did nothing about signals, for a process that has been reaped. */
function lookAt(pid: number): ProcessLook {
  const status = textOf(`/proc/${pid}/status`);
  const calls = threadsOf(pid).map((thread) => textOf(`/proc/${pid}/task/${thread}/syscall`));
  return { status, calls };
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
