import { isWeftError } from "../core/index.ts";
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

/**
 * The number by which `docker run` tells why a command could not be started: 127 when it is not there, 126 when
 * it cannot be executed, 125 for everything else.
 */
export function startFailureNumber(error: unknown): 125 | 126 | 127 {
  if (isWeftError(error, "COMMAND_NOT_FOUND")) return 127;
  return isWeftError(error, "COMMAND_NOT_EXECUTABLE") ? 126 : 125;
}
