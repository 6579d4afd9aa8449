import { join } from "node:path";

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
