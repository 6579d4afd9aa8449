import type { Clock } from "../core/index.ts";
import type { ExitStatus } from "./command.ts";
import type { EndOptions, RunningCommand } from "./running-command.ts";

/** The longest that a timer of Node's waits, in ms; a longer one would fire at once. */
const longestMs = 2 ** 31 - 1;

/** {@link RunningCommand.end}. */
export async function endGracefully(
  command: Pick<RunningCommand, "kill" | "exited">,
  clock: Clock,
  { graceMs, signal = "SIGTERM", abort }: EndOptions,
): Promise<ExitStatus> {
  abort?.throwIfAborted();
  command.kill(signal);
  const waiting = new AbortController();
  const grace =
    graceMs === Infinity
      ? undefined
      : clock.sleep(Math.min(graceMs, longestMs), waiting.signal).then(
          () => command.kill("SIGKILL"),
          () => {}, // it ended in time, or was given up
        );
  try {
    return await (abort === undefined ? command.exited : unlessAborted(command.exited, abort));
  } finally {
    waiting.abort();
    await grace;
  }
}

function unlessAborted<T>(work: Promise<T>, abort: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(abort.reason);
    const forget = () => abort.removeEventListener("abort", giveUp);
    abort.addEventListener("abort", giveUp);
    work.then(resolve, reject).finally(forget);
  });
}
