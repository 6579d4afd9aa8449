import type { Id } from "../../core/index.ts";
import type { ExitStatus, ProcessIdentity } from "../../runtime/index.ts";
import type { SandboxRecord } from "./sandbox-record.ts";

/** Where a command is to run: an open sandbox's namespace and the files that it sees. */
export interface Place {
  readonly netnsPath: string;
  readonly files: readonly { readonly source: string; readonly target: string }[];
}

/** A command that runs, whoever started it. */
export interface Run {
  readonly identity: ProcessIdentity;
  /** Resolves when it has ended; both of its parts are null when nobody can know how. */
  readonly exited: Promise<ExitStatus>;
  /** Sends a signal, by its name; one that has ended is left alone. Throws INVALID_SIGNAL. */
  kill(signal: string): void;
  /** Ends it: by `signal`, and by SIGKILL when it still runs after `graceMs`. */
  end(options: EndRun): Promise<ExitStatus>;
}

/** How a command is ended. */
export interface EndRun {
  readonly graceMs: number;
  readonly signal: string;
  /** Gives up the waiting: it rejects with this signal's reason, and the command gets no further signal. */
  readonly abort: AbortSignal;
}

/** What has become of a command; both parts of `status` are null when nobody can know. */
export type Adopted =
  | { readonly state: "running"; readonly run: Run }
  | { readonly state: "ended"; readonly status: ExitStatus };

/** Starts commands in the background, and finds them again. */
export interface CommandRunner {
  /**
   * Starts a sandbox's command. `beforeStart` is awaited before its first instruction: when it rejects, or this
   * process dies meanwhile, the command never runs. Throws why it cannot be started; then nothing of it is left.
   */
  start(
    record: SandboxRecord,
    place: Place,
    beforeStart: (identity: ProcessIdentity) => Promise<void>,
  ): Promise<Run>;
  /** Follows a command of a sandbox that an earlier daemon, or a `client`, started. */
  adopt(identity: ProcessIdentity, record: SandboxRecord, client: boolean): Adopted;
  /** Removes what was kept of a sandbox's output and input. */
  forget(record: Pick<SandboxRecord, "id">): void;
  /** Removes what was kept of sandboxes that `isThere` does not know: a crash came between. */
  forgetOthers(isThere: (id: Id) => boolean): void;
}
