import { WeftError } from "../../core/errors.ts";
import type { Surroundings } from "../surroundings.ts";

/**
 * Refuses what this program does by itself, and not the daemon: whoever may use the daemon's socket may not do that
 * for it. To be called before the daemon is asked to change anything. `instead` says what would be right. Throws NO_ROOT.
 */
export function needRoot({ isRoot }: Pick<Surroundings, "isRoot">, what: string, instead: string): void {
  if (isRoot()) return;
  throw new WeftError("NO_ROOT", `${what}, which needs root: ${instead}`);
}
