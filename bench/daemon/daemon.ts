import { commandLine } from "./command-line.ts";
import type { DaemonFigure } from "./figures.ts";
import { manySandboxes } from "./many-sandboxes.ts";
import { emptyStarts, fullStarts } from "./starts.ts";

/** The name of this part of the bench. */
export const daemonPart = "daemon";

/** The daemon and the command line, with nothing and with much; `sandboxes` is how many commands run at once. */
export async function daemonFigures(rounds: number, sandboxes: number): Promise<readonly DaemonFigure[]> {
  return [
    ...(await emptyStarts(rounds)),
    ...(await commandLine(rounds)),
    ...(await fullStarts(1000, rounds)),
    ...(await manySandboxes(sandboxes, rounds)),
  ];
}
