import os from "node:os";

/** The exit status by which a shell tells that a signal ended a program. */
export function signalStatus(signal: NodeJS.Signals): number {
  return 128 + os.constants.signals[signal];
}
