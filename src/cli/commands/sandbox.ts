import { resolve } from "node:path";
import type { Command } from "commander";
import type { SandboxCreateInput } from "../../api/index.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../failures.ts";
import { inspect } from "../inspect.ts";
import { addFormatOption } from "../options/format-option.ts";
import { count } from "../options/numbers.ts";
import { addSandboxOptions, type SandboxOptions, sandboxRequest } from "../options/sandbox-options.ts";
import { markPlannable } from "../plannable.ts";
import { rmCommand } from "./life.ts";
import { sandboxListCommand } from "./ps.ts";

/** `weft sandbox …`. */
export function sandboxCommand(command: Command, context: Context): void {
  createCommand(command.command("create"), context);
  sandboxListCommand(command.command("ls").alias("list").description("List all sandboxes"), context, true);
  inspectCommand(command.command("inspect"), context);
  rmCommand(command.command("rm").alias("remove").description("Remove sandboxes"), context);
}

interface CreateOptions extends SandboxOptions {
  readonly netns?: string;
  readonly pid?: number;
}

function createCommand(command: Command, context: Context): void {
  addSandboxOptions(markPlannable(command))
    .description("Make a sandbox without a command, also of a namespace that something else made")
    .option("--netns <path>", "the network namespace that it is; a new one without")
    .option("--pid <pid>", "the process whose network namespace it is", count)
    .addHelpText("after", examples)
    .action(async (options: CreateOptions) => {
      const request = { ...sandboxRequest(options), ...namespaceOf(options, context) };
      const created = await (await context.changes()).createSandbox(request, { start: false });
      for (const warning of created.Warnings) await context.complain(`warning: ${warning}`);
      await context.print(`${created.Id}\n`);
    });
}

const examples = `
Examples:
  ip netns add blue && weft sandbox create --netns /run/netns/blue --name blue --network web
  weft sandbox create --pid 4711 --network web -p 8080:80`;

function namespaceOf({ netns, pid }: CreateOptions, context: Context): Pick<SandboxCreateInput, "Netns"> {
  if (netns !== undefined && pid !== undefined) {
    throw new UsageError("conflicting options: cannot specify both --netns and --pid");
  }
  if (pid === 0) throw new UsageError("invalid --pid 0: it should be the number of a process");
  if (pid !== undefined) return { Netns: `/proc/${pid}/ns/net` };
  return netns === undefined ? {} : { Netns: resolve(context.surroundings.cwd(), netns) };
}

function inspectCommand(command: Command, context: Context): void {
  addFormatOption(command)
    .description("Print everything about sandboxes, as JSON")
    .argument("<sandbox...>", "names or ids")
    .action(async (names: readonly string[], options: { readonly format?: string }) => {
      const client = await context.client();
      await inspect(context, names, options.format, (name) => client.sandbox(name));
    });
}
