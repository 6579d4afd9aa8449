import type { ErrorCode } from "../core/index.ts";
import type { EncodedCapabilities } from "./capabilities.ts";
import type { SandboxFile } from "./command.ts";

/** Namespaces of its own for a command. */
export interface NewPlace {
  readonly kind: "new";
  readonly netnsPath: string;
  readonly hostname: string | undefined;
  readonly domainName: string | undefined;
  readonly files: readonly SandboxFile[];
  readonly rootfs: string | undefined;
  readonly readOnly: boolean;
  readonly privileged: boolean;
}

/** Where a command runs: in namespaces of its own, or in those of the process behind {@link joinFd}. */
export type Place = NewPlace | { readonly kind: "joined" };

/** A new terminal: its size in characters, and whether the command keeps the master side open. */
export interface TerminalOrder {
  readonly columns: number;
  readonly rows: number;
  readonly kept: boolean;
}

/**
 * What the launcher tells the process that becomes the command: one line of JSON on {@link controlFd}. Nothing
 * of it is in the arguments or the environment, which any user can read.
 */
export interface InitOrder {
  readonly place: Place;
  readonly command: readonly string[];
  /** Variables that take the place of the defaults; null takes one away. */
  readonly environment: readonly (readonly [name: string, value: string | null])[];
  /** An absolute path. */
  readonly cwd: string;
  /** `NAME|UID[:GROUP|GID]`. */
  readonly user: string;
  readonly capabilities: EncodedCapabilities;
  readonly terminal: TerminalOrder | undefined;
  /** What TERM is; undefined without a terminal. */
  readonly terminalType: string | undefined;
  /** True to become the foreground of the terminal that is stdin. */
  readonly foreground: boolean;
  /** True for a command in its caller's session, which must not type on the caller's terminal. */
  readonly typingDenied: boolean;
  /** The standard streams that weft opened for this command alone, and that its user may own. */
  readonly ownStreams: readonly number[];
  /** Descriptors of the launcher's process to take as standard streams; undefined when they are there from the start. */
  readonly streams: readonly ["ignore" | number, "ignore" | number, "ignore" | number] | undefined;
  /** True to say `prepared` and wait for {@link goAhead} before the program runs. */
  readonly held: boolean;
}

/** Why a command could not be started. */
export interface StartFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The socket between the launcher and the process that becomes the command, in the latter. */
export const controlFd = 3;

/** A pidfd in the process that becomes the command: of the one it joins, or of the launcher for one that waits for its order. */
export const joinFd = 4;

/**
 * Where a command has the master side of its terminal: far above what programs use, and below the lowest
 * usual limit of descriptors, 1,024.
 */
export const terminalFd = 1000;

/** What the launcher writes to let a held command start. */
export const goAhead = "go\n";

/**
 * The answers, one a line. `prepared` comes only when the order says so; `ready` is the last thing before exec,
 * which closes the socket: the end of the stream after `ready` means that the command runs, without it that the
 * process died before.
 */
export type InitAnswer =
  | { readonly kind: "prepared" }
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly failure: StartFailure };

/** An answer as it is written. */
export function encodeAnswer(answer: InitAnswer): string {
  return `${JSON.stringify(answer)}\n`;
}

/** The answers in the lines of `text` that are whole. */
export function answersIn(text: string): InitAnswer[] {
  // Written by encodeAnswer of the same version.
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as InitAnswer);
}

/** What the whole stream of answers comes to: undefined when the command runs. */
export function failureIn(answers: string): StartFailure | undefined {
  const last = answersIn(answers).at(-1);
  if (last?.kind === "ready") return undefined;
  if (last?.kind === "failed") return last.failure;
  return { code: "LAUNCH", message: "the process that should become the command died", details: {} };
}
