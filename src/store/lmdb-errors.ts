import { messageOf, WeftError } from "../core/index.ts";

/** Runs `read`, and names the store and what could not be done with it when LMDB or a file call throws. */
export function storing<T>(path: string, verb: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw storeError(path, verb, cause);
  }
}

/** A STORE error: "the store at PATH could not VERB: why". */
export function storeError(path: string, verb: string, cause: unknown): WeftError {
  const message = `the store at ${path} could not ${verb}: ${messageOf(cause)}`;
  return new WeftError("STORE", message, { cause, details: { path } });
}

/** Why a commit failed: lmdb rejects with an error that only leads to a promise of the real one. */
export async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && "commitError" in error && error.commitError instanceof Promise))
    return error;
  return error.commitError.then(
    () => error,
    (cause: unknown) => cause,
  );
}
