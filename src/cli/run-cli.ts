import { startFailureNumber } from "../core/errors.ts";
import { Context } from "./context.ts";
import { ExitError } from "./failures.ts";
import { commandNameIn, perform, statusOf } from "./program.ts";
import type { Surroundings } from "./surroundings.ts";

/** Commands that pass on another's exit status, and so keep their own failures apart from it, as Docker does. */
const passingOn = new Set(["run", "exec"]);

/** Does what a command line asks for, and prints what went wrong. Resolves with the exit status. */
export async function runCli(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const context = new Context(surroundings);
  try {
    await perform(argv, context);
    return 0;
  } catch (error) {
    if (!(error instanceof Error) || error.message !== "") await context.complain(error);
    // What ends by an ExitError has chosen its status, which may be the command's own.
    const chosen = error instanceof ExitError || !passingOn.has(commandNameIn(argv) ?? "");
    return chosen ? statusOf(error) : startFailureNumber(error);
  }
}
