import type { CommandUser, SandboxFile } from "./command.ts";

/**
 * What the launcher tells the process that becomes the command: one JSON text on {@link controlFd}, then
 * the end of the stream. Nothing of it is in the arguments or the environment, which any user can read.
 */
export interface InitOrder {
  readonly netnsPath: string;
  readonly hostname: string | undefined;
  readonly domainName: string | undefined;
  readonly files: readonly SandboxFile[];
  readonly command: readonly string[];
  /** `NAME=value`. */
  readonly environment: readonly string[];
  /** Folders to look in for a program without a slash, separated by colons. */
  readonly searchPath: string;
  /** An absolute path. */
  readonly cwd: string;
  readonly user: CommandUser | undefined;
}

/** Why a command could not be started. */
export interface StartFailure {
  readonly code: "INVALID_COMMAND" | "LAUNCH";
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The socket between the launcher and the process that becomes the command, in the latter. */
export const controlFd = 3;

/**
 * The answers, one a line. `ready` is the last thing before exec, which closes the socket: the end of the
 * stream after `ready` means that the command runs, without it that the process died before.
 */
export type InitAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly failure: StartFailure };

/** An answer as it is written. */
export function encodeAnswer(answer: InitAnswer): string {
  return `${JSON.stringify(answer)}\n`;
}

/** What the whole stream of answers comes to: undefined when the command runs. */
export function failureIn(answers: string): StartFailure | undefined {
  const last = answers.trimEnd().split("\n").at(-1) ?? "";
  if (last === "") {
    return { code: "LAUNCH", message: "the process that should become the command died", details: {} };
  }
  const answer = JSON.parse(last) as InitAnswer; // written by encodeAnswer of the same version
  return answer.kind === "ready" ? undefined : answer.failure;
}
