import { type ErrorCode, type ErrorKind, errorCatalogue } from "./error-catalogue.ts";

/** What a {@link WeftError} may carry besides its message. */
export interface ErrorInit {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** Values a program may want: the name, address or errno that the message speaks of. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The one error class of weft. `kind` says whose fault it is and maps to an HTTP status, `code` is
 * stable and listed in docs/errors.md, the message says what was wrong with which value.
 */
export class WeftError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, init: ErrorInit = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = "WeftError";
    this.code = code;
    this.kind = errorCatalogue[code].kind;
    this.details = init.details ?? {};
  }
}

/** True when `error` is a {@link WeftError}, and of `code` if one is given. */
export function isWeftError(error: unknown, code?: ErrorCode): error is WeftError {
  return error instanceof WeftError && (code === undefined || error.code === code);
}

/**
 * The number by which `docker run` tells why a command could not be started: 127 when it is not there, 126 when
 * it cannot be executed, 125 for everything else.
 */
export function startFailureNumber(error: unknown): 125 | 126 | 127 {
  if (isWeftError(error, "COMMAND_NOT_FOUND")) return 127;
  return isWeftError(error, "COMMAND_NOT_EXECUTABLE") ? 126 : 125;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Runs every step although earlier ones fail, as a teardown must, and then throws all that went
 * wrong: the error itself when it was one, else a TEARDOWN error that lists them.
 */
export async function runAll(what: string, steps: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  throwAll(what, errors);
}

/** Throws nothing, the only error, or a TEARDOWN error that says once what all of `errors` say. */
export function throwAll(what: string, errors: readonly unknown[]): void {
  if (errors.length === 0) return;
  if (errors.length === 1) throw errors[0];
  throw new WeftError("TEARDOWN", `${what}: ${[...new Set(errors.map(messageOf))].join("; ")}`, {
    cause: new AggregateError(errors),
  });
}
