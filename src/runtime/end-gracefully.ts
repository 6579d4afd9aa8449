import type { Clock } from "../core/index.ts";
import type { ExitStatus } from "./command.ts";
import type { EndOptions, RunningCommand } from "./running-command.ts";

/** The longest that a timer of Node's waits, in ms; a longer one would fire at once. */
const longestMs = 2 ** 31 - 1;

/** {@link RunningCommand.end}. */
export async function endGracefully(
  command: Pick<RunningCommand, "kill" | "exited">,
  clock: Clock,
  { graceMs, signal = "SIGTERM" }: EndOptions,
): Promise<ExitStatus> {
  command.kill(signal);
  if (graceMs === Infinity) return command.exited;
  const waiting = new AbortController();
  const grace = clock.sleep(Math.min(graceMs, longestMs), waiting.signal).then(
    () => command.kill("SIGKILL"),
    () => {}, // it ended in time
  );
  try {
    return await command.exited;
  } finally {
    waiting.abort();
    await grace;
  }
}
