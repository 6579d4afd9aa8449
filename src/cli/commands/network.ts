import type { Command } from "commander";
import type { Context } from "../context.ts";
import { networkConnectCommand, networkDisconnectCommand } from "./network-attach.ts";
import { networkCreateCommand } from "./network-create.ts";
import { networkInspectCommand, networkListCommand } from "./network-list.ts";
import { networkPruneCommand, networkRemoveCommand } from "./network-remove.ts";

/** `weft network …`. */
export function networkCommand(command: Command, context: Context): void {
  networkCreateCommand(command.command("create"), context);
  networkListCommand(command.command("ls").alias("list"), context);
  networkInspectCommand(command.command("inspect"), context);
  networkConnectCommand(command.command("connect"), context);
  networkDisconnectCommand(command.command("disconnect"), context);
  networkRemoveCommand(command.command("rm").alias("remove"), context);
  networkPruneCommand(command.command("prune"), context);
}
