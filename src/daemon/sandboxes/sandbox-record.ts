import type { EndpointConfig, SandboxCreate } from "../../api/index.ts";
import type { Id } from "../../core/index.ts";
import type { ProcessIdentity } from "../../runtime/index.ts";

/** How a command ended. */
export interface Ending {
  /** 128 + n for signal n; null when nobody can tell. */
  readonly code: number | null;
  /** ms since 1970. */
  readonly at: number;
  /** Why it could not be started; empty when it was. */
  readonly error: string;
}

/** A command that runs. */
export interface RunningProcess {
  readonly identity: ProcessIdentity;
  /** ms since 1970. */
  readonly startedAt: number;
  /** A client started it, with its own terminal, and tells how it ended. */
  readonly client: boolean;
}

/**
 * A sandbox as the daemon keeps it: what was asked for, and what its command does. Its namespace and
 * endpoints are the model's, of the same id, and are there while the sandbox is open: while its command
 * runs, or always when it has none.
 */
export interface SandboxRecord {
  readonly id: Id;
  readonly name: string;
  /** ms since 1970. */
  readonly created: number;
  readonly config: SandboxCreate;
  /** The networks that it is on when it is open; connecting and disconnecting change them. */
  readonly networks: readonly EndpointConfig[];
  readonly process?: RunningProcess | undefined;
  readonly ending?: Ending | undefined;
  /** When the last command began, ms since 1970. */
  readonly startedAt?: number | undefined;
  /** How often its command was started again by itself since a person started it. */
  readonly restarts: number;
  /** A person stopped it, or sent its command, which may run yet, the signal to: it is not started again by itself. */
  readonly stopped: boolean;
  /** Its command ended and is about to be started again. */
  readonly restarting?: boolean | undefined;
  /** The wait before its command was started again last, ms. */
  readonly lastDelayMs?: number | undefined;
}

/** True when the model has to have its namespace and endpoints. */
export function isOpen(record: SandboxRecord): boolean {
  return record.process !== undefined || record.restarting === true || record.config.Command === undefined;
}
