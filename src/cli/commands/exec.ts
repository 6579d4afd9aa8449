import type { Command } from "commander";
import type { Context } from "../context.ts";
import { environmentOf } from "../options/command-options.ts";
import { collect } from "../options/key-values.ts";

interface ExecOptions {
  readonly interactive?: boolean;
  readonly tty?: boolean;
  readonly env?: readonly string[];
  readonly envFile?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly privileged?: boolean;
}

/** `weft exec`. */
export function execCommand(command: Command, context: Context): void {
  command
    .usage("[options] SANDBOX COMMAND [ARG…]")
    .argument("<sandbox>", "its name or id")
    .argument("<command...>", "the program and its arguments; options of weft come before the sandbox")
    .passThroughOptions()
    .option("-i, --interactive", "let it read this program's standard input")
    .option("-t, --tty", "give it a terminal")
    .option(
      "-e, --env <key=value>",
      "a variable of its environment; KEY alone passes on this program's",
      collect,
    )
    .option("--env-file <file>", "a file of such variables, one a line", collect)
    .option("-w, --workdir <dir>", "the folder it starts in; the sandbox's without")
    .option("-u, --user <user>", "name or uid, and :group or :gid; the sandbox's without")
    .option("--privileged", "let it do whatever weft may")
    .addHelpText("after", examples)
    .action(async (sandbox: string, args: readonly string[], options: ExecOptions) => {
      const { execInForeground } = await import("../foreground/exec-in-foreground.ts");
      await execInForeground(context, sandbox, {
        args,
        interactive: options.interactive === true,
        tty: options.tty === true,
        environment: environmentOf(options, context.surroundings),
        workdir: options.workdir,
        user: options.user,
        privileged: options.privileged === true,
      });
    });
}

const examples = `
Examples:
  weft exec web ip address
  weft exec -it -e LANG=C web sh

The exit status is the command's own; 125 when weft failed, 126 when the command cannot be
executed, 127 when it is not found, 128 + n when signal n ended it.`;
