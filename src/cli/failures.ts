import { isWeftError, messageOf } from "../core/errors.ts";

/** The command was given in a wrong way: exit status 2, and nothing was done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Ends the command with a status of its own. Its message is printed, if it has one. */
export class ExitError extends Error {
  override readonly name = "ExitError";
  readonly status: number;

  constructor(status: number, message = "", init: { readonly cause?: unknown } = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.status = status;
  }
}

/** What went wrong as the one line that people read, without its line breaks. */
export function lineOf(error: unknown): string {
  const message = messageOf(error).trim();
  const line = message.replace(/\s*\n\s*/g, "; ");
  if (isWeftError(error) || error instanceof UsageError || error instanceof ExitError) return line;
  // A defect, or the host's refusal of a file: its kind helps whoever reports it.
  return error instanceof Error && error.name !== "Error" ? `${error.name}: ${line}` : line;
}
