import type { Command } from "commander";

const plannable = new WeakSet<Command>();

/** Says of a command that `weft plan` can try it out: all that it changes goes through Context.changes. */
export function markPlannable(command: Command): Command {
  plannable.add(command);
  return command;
}

/** True for a command that {@link markPlannable} was said of. */
export function isPlannable(command: Command): boolean {
  return plannable.has(command);
}
