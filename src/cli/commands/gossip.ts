import type { Command } from "commander";
import { gossipCommand } from "../gossip.ts";

/** `weft gossip …`, whose own commands are commander's plain ones: they take the settings of weft's. */
export function gossipEntry(command: Command): void {
  for (const one of gossipCommand().commands) command.addCommand(settled(one, command));
}

function settled(command: Command, above: Command): Command {
  command.copyInheritedSettings(above);
  for (const one of command.commands) settled(one, command);
  return command;
}
