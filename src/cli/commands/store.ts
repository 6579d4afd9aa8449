import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Context } from "../context.ts";
import { daemonDoor } from "../daemon-door.ts";
import { addFolderOptions, type FolderOptions, foldersOf } from "../options/daemon-options.ts";
import { fieldLines } from "../text/field-lines.ts";
import { writeWhole } from "../write-whole.ts";

/** `weft store …`. */
export function storeCommand(command: Command, context: Context): void {
  backupCommand(command.command("backup"), context);
  restoreCommand(command.command("restore"), context);
  checkCommand(command.command("check"), context);
}

function backupCommand(command: Command, context: Context): void {
  command
    .description(
      "Write what the daemon has stored to a file, as it is at one moment; the daemon goes on meanwhile",
    )
    .argument("<file>", "a file, which is replaced when it is there; - for the standard output")
    .action(async (file: string) => {
      const chunks = (await context.client()).backup();
      if (file === "-") for await (const chunk of chunks) await context.print(chunk);
      else await writeWhole(resolve(context.surroundings.cwd(), file), chunks);
    });
}

function restoreCommand(command: Command, context: Context): void {
  addFolderOptions(command)
    .description("Put a backup in the place of what is stored; no daemon may run meanwhile")
    .argument("<file>", "what `weft store backup` wrote")
    .action(async (file: string, options: FolderOptions) => {
      const door = await daemonDoor();
      await door.restoreStore(foldersOf(options, context), resolve(context.surroundings.cwd(), file));
    });
}

function checkCommand(command: Command, context: Context): void {
  addFolderOptions(command)
    .addOption(new Option("-f, --format <format>", "json, for programs").choices(["json"]))
    .description("Read all that is stored, and say whether it is whole; a daemon may run meanwhile")
    .action(async (options: FolderOptions & { readonly format?: string }) => {
      const report = await (await daemonDoor()).checkStore(foldersOf(options, context));
      const text = options.format === "json" ? `${JSON.stringify(report)}\n` : fieldLines("Store", report);
      await context.print(text);
    });
}
