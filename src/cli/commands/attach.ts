import type { Command } from "commander";
import type { Context } from "../context.ts";

/** `weft attach`. */
export function attachCommand(command: Command, context: Context): void {
  command
    .argument("<sandbox>", "its name or id")
    .option("--no-stdin", "only print, pass nothing on that is typed")
    .option(
      "--detach-keys <keys>",
      "what ends this, and not the command, at a terminal; ctrl-p,ctrl-q without",
    )
    .addHelpText("after", moreHelp)
    .action(async (name: string, options: { readonly stdin?: boolean; readonly detachKeys?: string }) => {
      const { attach } = await import("../foreground/attach-to.ts");
      await attach(context, name, { input: options.stdin !== false, detachKeys: options.detachKeys });
    });
}

const moreHelp = `
Signals, SIGINT and SIGTERM among them, are passed on to a command without a terminal; from one
with a terminal (run -t) they detach, and so does the end of the session.

The exit status is the command's own; 0 when it was detached from.`;
