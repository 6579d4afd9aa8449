import type { Command } from "commander";
import type { Context } from "../context.ts";

/** `weft metrics`. */
export function metricsCommand(command: Command, context: Context): void {
  command.action(async () => context.print(await (await context.client()).metrics()));
}
