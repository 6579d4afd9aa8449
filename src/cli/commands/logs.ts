import type { Command } from "commander";
import type { Context } from "../context.ts";
import { tailLines } from "../options/numbers.ts";

/** `weft logs`. */
export function logsCommand(command: Command, context: Context): void {
  command
    .argument("<sandbox>", "its name or id")
    .option("-f, --follow", "go on as more comes, until the command has ended")
    .option("-n, --tail <lines>", "the last so many lines; all without", tailLines)
    .action(async (name: string, options: { readonly follow?: boolean; readonly tail?: number | "all" }) => {
      const client = await context.client();
      const tail = options.tail === "all" ? undefined : options.tail;
      const chunks = client.logs(name, { follow: options.follow === true, tail });
      for await (const chunk of chunks) await context.print(chunk);
    });
}
