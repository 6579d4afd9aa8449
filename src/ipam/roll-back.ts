import { messageOf, WeftError } from "../core/index.ts";

/** Undoes what was done before `error`, and throws that; a TEARDOWN error of both when the undoing fails too. */
export async function rollBack(error: unknown, undo: () => Promise<void>): Promise<never> {
  try {
    await undo();
  } catch (second) {
    throw new WeftError("TEARDOWN", `${messageOf(error)}; then ${messageOf(second)}`, {
      cause: new AggregateError([error, second]),
    });
  }
  throw error;
}
