import type { Command } from "commander";
import type { Filters } from "../../api/index.ts";
import { confirmed } from "../confirm.ts";
import type { Context } from "../context.ts";
import { ExitError } from "../failures.ts";
import { collectFilters } from "../options/key-values.ts";
import { markPlannable } from "../plannable.ts";

/** `weft network rm`. */
export function networkRemoveCommand(command: Command, context: Context): void {
  markPlannable(command)
    .description("Remove networks that no sandbox is on")
    .argument("<network...>", "names or ids")
    .action(async (names: readonly string[]) => {
      const changes = await context.changes();
      await context.each(names, async (name) => {
        await changes.removeNetwork(name);
        await context.print(`${name}\n`);
      });
    });
}

/** `weft network prune`. */
export function networkPruneCommand(command: Command, context: Context): void {
  markPlannable(command)
    .description("Remove all networks that no sandbox is on")
    .option("-f, --force", "ask no question")
    .option("--filter <key=value>", "only those that match: label=, label!=, until=", collectFilters)
    .action(async (options: { readonly force?: boolean; readonly filter?: Filters }) => {
      const question = "WARNING! This will remove all networks that no sandbox is on.";
      const asks = options.force !== true && context.planner === undefined;
      if (asks && !(await confirmed(context, question))) {
        throw new ExitError(1, "network prune has been cancelled");
      }
      const { NetworksDeleted: names } = await (await context.changes()).pruneNetworks(options.filter ?? {});
      if (names.length > 0)
        await context.print(`Deleted Networks:\n${names.map((name) => `${name}\n`).join("")}`);
    });
}
