import { Context } from "./context.ts";
import { UsageError } from "./failures.ts";
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
    const status = statusOf(error);
    const plain = status === 1 || error instanceof UsageError;
    return plain && passingOn.has(commandNameIn(argv) ?? "") ? 125 : status;
  }
}
