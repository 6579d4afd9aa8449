import { setTimeout as delay } from "node:timers/promises";

/** How long the outside world may take, ms; only what is broken takes it all. */
const patienceMs = 60_000;

/** Asks until it is so. Throws when that takes too long, with what `found` tells last. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  found?: () => string,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await isSo())) {
    if (Date.now() > deadline)
      throw new Error(`not so after ${patienceMs} ms: ${what}${found === undefined ? "" : `: ${found()}`}`);
    await delay(10);
  }
}
