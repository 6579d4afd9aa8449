import type { Command } from "commander";
import type { Context } from "../context.ts";
import { UsageError } from "../failures.ts";
import { addCommandOptions, type CommandOptions, commandRequest } from "../options/command-options.ts";
import { addSandboxOptions, type SandboxOptions, sandboxRequest } from "../options/sandbox-options.ts";
import { markPlannable } from "../plannable.ts";

interface RunOptions extends SandboxOptions, CommandOptions {
  readonly detach?: boolean;
}

/** `weft run`. */
export function runCommand(command: Command, context: Context): void {
  markPlannable(command)
    .usage("[options] COMMAND [ARG…]")
    .argument("<command...>", "the program and its arguments; options of weft come before it")
    .passThroughOptions()
    .option("-d, --detach", "run it in the background, and print the sandbox's id");
  addSandboxOptions(addCommandOptions(command))
    .addHelpText("after", examples)
    .action(async (args: readonly string[], options: RunOptions) => {
      refuseConflicts(options);
      const request = {
        ...sandboxRequest(options),
        ...commandRequest(args, options, context.surroundings),
      };
      if (options.detach === true || context.planner !== undefined) {
        const created = await (await context.changes()).createSandbox(request, { start: true });
        for (const warning of created.Warnings) await context.complain(`warning: ${warning}`);
        await context.print(`${created.Id}\n`);
        return;
      }
      const { runInForeground } = await import("../foreground/run-in-foreground.ts");
      await runInForeground(context, request);
    });
}

const examples = `
Examples:
  weft run -it sh                                           a shell, on the network "bridge"
  weft run -d --name web --network front -p 8080:80 busybox httpd -f
  weft run --network name=front,alias=api,ip=10.7.0.9 --network back ./server --port 80
  weft run --rm --rootfs ./alpine -it /bin/sh

The exit status is the command's own; 125 when weft failed, 126 when the command cannot be
executed, 127 when it is not found, 128 + n when signal n ended it.`;

function refuseConflicts(options: RunOptions): void {
  if (options.rm === true && options.restart !== undefined && options.restart.Name !== "no") {
    throw new UsageError("conflicting options: cannot specify both --restart and --rm");
  }
}
