import type { ExitStatus } from "./command.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/** A command that runs in a sandbox, whoever started it. */
export interface RunningCommand extends ProcessIdentity {
  /**
   * Resolves when the command has ended; if it was the first of its PID namespace, the kernel has ended every other
   * process there by then. Its output may not all be read.
   */
  readonly exited: Promise<ExitStatus>;
  /**
   * Sends a signal to the command, by name or number, with the effect that it has on any process. The kernel
   * discards signals that pid 1 of a namespace has no handler for, so `sleep` in a container is deaf to SIGTERM
   * and Ctrl-C; here, a signal that would end the command by its default action does: SIGKILL stands in, and
   * `exited` names the signal that was meant. One that the command catches, ignores or blocks is sent as it is.
   * The same signal from elsewhere (`kill` in a shell, a terminal) has no such help. A command that has ended is
   * left alone. Throws INVALID_SIGNAL for a signal that Linux does not have.
   */
  kill(signal?: NodeJS.Signals | number): void;
  /**
   * Ends the command and, if it was the first of its PID namespace, all of its descendants: `signal` (SIGTERM) by
   * {@link kill}, then SIGKILL when it still runs after `graceMs`. Descendants get no signal from here: whatever
   * the command leaves behind is killed with it. A command without a handler ends at once.
   */
  end(options: EndOptions): Promise<ExitStatus>;
}

/** How a command is ended. */
export interface EndOptions {
  /** How long it may take after the first signal, in ms; Infinity never kills. */
  readonly graceMs: number;
  /** The first signal; SIGTERM when not given. */
  readonly signal?: NodeJS.Signals | number;
  /** Gives up the waiting: it rejects with this signal's reason, and the command gets no further signal. */
  readonly abort?: AbortSignal;
}
