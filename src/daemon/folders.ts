import { join } from "node:path";
import type { Id } from "../core/index.ts";

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

/** Where what belongs to one sandbox's command is: its output and its input. */
export function sandboxFolder(root: string, id: Id): string {
  return join(root, "commands", id);
}
