import type { ExitStatus } from "./command.ts";
import { parseSignal, signalName } from "./signals.ts";

/** How a command ended when nobody can know: it ended, and its parent reaped it, while nobody looked. */
export const unknownStatus: ExitStatus = { code: null, signal: null };

/** A wait status (wait(2)) as people speak of it. */
export function exitStatusOf(waitStatus: number): ExitStatus {
  const signal = waitStatus & 0x7f;
  if (signal === 0) return { code: (waitStatus >> 8) & 0xff, signal: null };
  return { code: null, signal: signalName(signal) };
}

/** The number a shell has for an end: the exit code, or 128 and the signal's number; undefined when it is not known. */
export function exitNumber({ code, signal }: ExitStatus): number | undefined {
  if (code !== null) return code;
  return signal === null ? undefined : 128 + parseSignal(signal);
}
