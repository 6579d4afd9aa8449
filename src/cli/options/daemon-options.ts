import { resolve } from "node:path";
import type { Command } from "commander";
import { type Context, defaultRoot, defaultRun, socketIn } from "../context.ts";
import type { DaemonFolders } from "../daemon-door.ts";

/** The options of commands that have to do with a daemon of this host, as commander gives them. */
export interface FolderOptions {
  readonly root?: string;
  readonly run?: string;
}

/** Gives `command` the folders of a daemon. */
export function addFolderOptions(command: Command): Command {
  return command
    .option("--root <dir>", `where the daemon keeps what outlives a boot (default: ${defaultRoot})`)
    .option("--run <dir>", `where it keeps its socket and its log (default: ${defaultRun})`);
}

/** The folders that were given, or the usual ones. */
export function foldersOf(
  { root = defaultRoot, run = defaultRun }: FolderOptions,
  context: Context,
): DaemonFolders {
  const cwd = context.surroundings.cwd();
  return { root: resolve(cwd, root), run: resolve(cwd, run) };
}

/** The socket of the daemon that is meant: that of `--run`, or the one that all commands use. */
export function socketOf({ run }: FolderOptions, context: Context): string {
  return run === undefined ? context.socketPath : socketIn(resolve(context.surroundings.cwd(), run));
}
