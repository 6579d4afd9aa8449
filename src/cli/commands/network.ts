import type { Command } from "commander";
import type { Configure } from "../command-entries.ts";
import type { Context } from "../context.ts";

/** One of the commands below `weft network`. Its own file is loaded only when it is asked for. */
interface NetworkEntry {
  readonly name: string;
  readonly alias?: string;
  readonly load: () => Promise<Configure>;
}

const entries: readonly NetworkEntry[] = [
  { name: "create", load: async () => (await import("./network-create.ts")).networkCreateCommand },
  { name: "ls", alias: "list", load: async () => (await import("./network-list.ts")).networkListCommand },
  { name: "inspect", load: async () => (await import("./network-inspect.ts")).networkInspectCommand },
  { name: "connect", load: async () => (await import("./network-attach.ts")).networkConnectCommand },
  { name: "disconnect", load: async () => (await import("./network-attach.ts")).networkDisconnectCommand },
  {
    name: "rm",
    alias: "remove",
    load: async () => (await import("./network-remove.ts")).networkRemoveCommand,
  },
  { name: "prune", load: async () => (await import("./network-remove.ts")).networkPruneCommand },
];

/** `weft network …`. */
export async function networkCommand(command: Command, context: Context, below?: string): Promise<void> {
  const asked = entries.find(({ name, alias }) => below !== undefined && [name, alias].includes(below));
  for (const { name, alias, load } of asked === undefined ? entries : [asked]) {
    const one = command.command(name);
    if (alias !== undefined) one.alias(alias);
    await (await load())(one, context);
  }
}
