import os from "node:os";
import type { Readable, Writable } from "node:stream";
import { type Clock, WeftError } from "../core/index.ts";
import type { ExitStatus } from "./command.ts";
import type { StartedCommand } from "./launcher-link.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import type { CallerStreams } from "./stdio.ts";

/** What a {@link SandboxProcess} needs of its launcher. */
export interface ProcessControl {
  readonly clock: Clock;
  /** Has a signal sent, if the command has not ended. */
  signal(signal: NodeJS.Signals): void;
  /** Lets the program end although the command runs. */
  unref(): void;
}

/**
 * A command that runs in a sandbox, as pid 1 of a PID namespace of its own. It is the
 * {@link ProcessIdentity} by which a later program can end it.
 */
export class SandboxProcess implements ProcessIdentity {
  /** Its process id as the host sees it. */
  readonly pid: number;
  readonly startTicks: number;
  /** Its standard streams, those that were asked for as pipes. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /**
   * Resolves when the command has ended and the kernel has ended every other process of its PID namespace.
   * Its output may not all be read by then. Rejects with LAUNCH if the launcher thread died.
   */
  readonly exited: Promise<ExitStatus>;
  readonly #control: ProcessControl;

  /** Made by {@link Launcher.run} only. */
  constructor(started: StartedCommand, streams: CallerStreams, control: ProcessControl) {
    this.pid = started.identity.pid;
    this.startTicks = started.identity.startTicks;
    this.stdin = streams.stdin;
    this.stdout = streams.stdout;
    this.stderr = streams.stderr;
    this.exited = started.exited;
    this.#control = control;
  }

  /**
   * Sends `signal` to the command, with the effect that it has on any process. The kernel discards signals
   * that pid 1 of a namespace has no handler for, so `sleep` in a container is deaf to SIGTERM and Ctrl-C;
   * here, a signal that would end the command by its default action does: SIGKILL stands in, and `exited`
   * names the signal that was meant. One that the command catches, ignores or blocks is sent as it is.
   * The same signal from elsewhere (`kill` in a shell, a terminal) has no such help. A command that has
   * ended is left alone. Throws INVALID_COMMAND for a signal that Linux does not have.
   */
  kill(signal: NodeJS.Signals = "SIGTERM"): void {
    if (!(signal in os.constants.signals)) throw new WeftError("INVALID_COMMAND", `unknown signal ${signal}`);
    this.#control.signal(signal);
  }

  /**
   * Ends the command and all of its descendants: SIGTERM to the command by {@link kill}, then SIGKILL
   * when it still runs after `graceMs`. Descendants get no SIGTERM from here: whatever the command leaves
   * behind is killed with it. A command without a handler for SIGTERM ends at once.
   */
  async end(options: { readonly graceMs: number }): Promise<ExitStatus> {
    const waiting = new AbortController();
    const grace = this.#control.clock.sleep(options.graceMs, waiting.signal).then(
      () => this.kill("SIGKILL"),
      () => {}, // it ended in time
    );
    try {
      this.kill("SIGTERM");
      return await this.exited;
    } finally {
      waiting.abort();
      await grace;
    }
  }

  /** Lets the program end although the command runs and nobody has waited for it. */
  unref(): void {
    this.#control.unref();
  }
}
