import type { ExitStatus } from "./command.ts";
import type { InitOrder, StartFailure } from "./init-protocol.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/** A standard stream of a child: an open file descriptor, or nothing. */
export type ChildFd = number | "ignore";

/** A command to start; `id` is the launcher's own number for it. */
export interface RunRequest {
  readonly kind: "run";
  readonly id: number;
  readonly order: InitOrder;
  /** Descriptors of this process (all its threads share them), which the sender closes later. */
  readonly stdio: readonly [ChildFd, ChildFd, ChildFd];
  /** True to give the command a session of its own. */
  readonly ownSession: boolean;
  /** A pidfd, which the sender closes later, of the process whose namespaces the command joins. */
  readonly join: number | undefined;
}

/** What the main thread asks of the launcher thread. */
export type ThreadRequest =
  | RunRequest
  /** From now on so many processes wait, with Node's own start behind them, for a command to become. */
  | { readonly kind: "keepSpares"; readonly count: number }
  /** Let a held command start. */
  | { readonly kind: "proceed"; readonly id: number }
  | { readonly kind: "signal"; readonly id: number; readonly signal: number }
  /** End the thread, once no command is left whose end it must await. */
  | { readonly kind: "close" };

/**
 * What the launcher thread tells the main thread. For each run: `prepared` if it is held; then `failed`, or
 * `started` and later `exited`.
 */
export type ThreadEvent =
  | { readonly kind: "ready" }
  | { readonly kind: "prepared"; readonly id: number; readonly identity: ProcessIdentity }
  | { readonly kind: "started"; readonly id: number; readonly identity: ProcessIdentity }
  | { readonly kind: "failed"; readonly id: number; readonly failure: StartFailure }
  | { readonly kind: "exited"; readonly id: number; readonly status: ExitStatus };
