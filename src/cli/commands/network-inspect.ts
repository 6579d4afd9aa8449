import type { Command } from "commander";
import type { Context } from "../context.ts";
import { inspect } from "../inspect.ts";
import { addFormatOption } from "../options/format-option.ts";

/** `weft network inspect`. */
export function networkInspectCommand(command: Command, context: Context): void {
  addFormatOption(command)
    .description("Print everything about networks, as JSON")
    .argument("<network...>", "names or ids")
    .option("-v, --verbose", "the host's link and how many addresses are free, too")
    .action(
      async (names: readonly string[], options: { readonly format?: string; readonly verbose?: boolean }) => {
        const client = await context.client();
        await inspect(context, names, options.format, (name) =>
          client.network(name, { verbose: options.verbose === true }),
        );
      },
    );
}
