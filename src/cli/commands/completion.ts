import { Argument, type Command } from "commander";
import { type CompletionShell, completionScript, completionShells } from "../completion/scripts.ts";
import type { Context } from "../context.ts";

/** `weft completion`. */
export function completionCommand(command: Command, context: Context): void {
  command
    .addArgument(new Argument("<shell>", "bash, zsh or fish").choices(completionShells))
    .addHelpText("after", examples)
    .action((shell: CompletionShell) => context.print(completionScript(shell)));
}

const examples = `
Examples:
  weft completion bash > /etc/bash_completion.d/weft
  weft completion zsh > /usr/local/share/zsh/site-functions/_weft
  weft completion fish > ~/.config/fish/completions/weft.fish`;
