import { WeftError } from "../../core/errors.ts";
import type { Surroundings } from "../surroundings.ts";

/**
 * Refuses what enters a sandbox from this program, which who may use the daemon's socket may not therefore: before
 * the daemon is asked for anything. `instead` says what can be done by the daemon. Throws NO_ROOT.
 */
export function needRoot({ isRoot }: Pick<Surroundings, "isRoot">, what: string, instead: string): void {
  if (isRoot()) return;
  throw new WeftError("NO_ROOT", `${what} enters the sandbox's namespaces, which needs root: ${instead}`);
}
