import { readdirSync } from "node:fs";
import { join } from "node:path";
import { WeftError } from "../core/index.ts";

/** Where a daemon keeps its things. */
export interface Folders {
  /** What survives a boot: records, and the output of commands. Absolute. */
  readonly root: string;
  /** What does not: the socket, the log of `weft up`. Absolute. */
  readonly run: string;
}

export const defaultRoot = "/var/lib/weft";
export const defaultRun = "/run/weft";

/** The daemon's socket. */
export function socketPath(run: string): string {
  return join(run, "weft.sock");
}

/** Where what belongs to sandboxes' commands is: their output and their input. */
export function commandsFolder(root: string): string {
  return join(root, "commands");
}

/** What weft has in its two folders; they may be one. */
const ownEntries =
  /^(store|commands|run|lock|weft\.sock(\..*)?|starting|daemon\.log|gossip\.sock|backup-.*|probe-.*)$/;

/** Refuses to take folders for weft's that hold something else: they are about to be removed. Throws FOLDER_NOT_OWN. */
export function refuseOthersFiles({ root, run }: Folders): void {
  for (const folder of [root, run]) {
    const other = entriesOf(folder).find((name) => !ownEntries.test(name));
    if (other === undefined) continue;
    throw new WeftError("FOLDER_NOT_OWN", `${folder} is no folder of weft's: it holds ${other}`);
  }
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // it is not there
  }
}
