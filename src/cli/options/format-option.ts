import type { Command } from "commander";

/** The `--format` of commands that print something that programs want too; -f belongs to another option where `flags` has none. */
export function addFormatOption(command: Command, flags = "-f, --format <format>"): Command {
  return command.option(flags, "json, or text with {{.Field}} and {{json .Field}}");
}
