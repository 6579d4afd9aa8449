import type { Readable, Writable } from "node:stream";
import type { Clock } from "../core/index.ts";
import type { ExitStatus } from "./command.ts";
import { endGracefully } from "./end-gracefully.ts";
import type { StartedCommand } from "./launcher-link.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import type { EndOptions, RunningCommand } from "./running-command.ts";
import { parseSignal } from "./signals.ts";
import type { CallerStreams } from "./stdio.ts";
import type { Terminal } from "./terminal.ts";

/** What a {@link SandboxProcess} needs of its launcher. */
export interface ProcessControl {
  readonly clock: Clock;
  /** Has a signal sent, by its number, if the command has not ended. */
  signal(signal: number): void;
  /** Lets the program end although the command runs. */
  unref(): void;
}

/** A command that this program started. It is the {@link ProcessIdentity} by which a later program finds it again. */
export class SandboxProcess implements RunningCommand {
  /** Its process id as the host sees it. */
  readonly pid: number;
  readonly startTicks: number;
  readonly bootId: string;
  /** Its standard streams, those that were asked for as pipes. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Its terminal, if one was asked for. */
  readonly terminal: Terminal | undefined;
  /** See {@link RunningCommand}. Rejects with LAUNCH if the launcher thread died. */
  readonly exited: Promise<ExitStatus>;
  readonly #control: ProcessControl;

  /** Made by {@link Launcher.run} and {@link Launcher.exec} only. */
  constructor(
    started: StartedCommand,
    streams: CallerStreams,
    terminal: Terminal | undefined,
    control: ProcessControl,
  ) {
    this.pid = started.identity.pid;
    this.startTicks = started.identity.startTicks;
    this.bootId = started.identity.bootId;
    this.stdin = streams.stdin;
    this.stdout = streams.stdout;
    this.stderr = streams.stderr;
    this.terminal = terminal;
    this.exited = started.exited;
    this.#control = control;
  }

  kill(signal: NodeJS.Signals | number = "SIGTERM"): void {
    this.#control.signal(parseSignal(String(signal)));
  }

  end(options: EndOptions): Promise<ExitStatus> {
    return endGracefully(this, this.#control.clock, options);
  }

  /** Lets the program end although the command runs and nobody has waited for it. */
  unref(): void {
    this.#control.unref();
  }
}
