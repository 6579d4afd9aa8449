// Fetches URLs and prints what came: node fetch.js TIMEOUT_MS URL...
import { setTimeout as delay } from "node:timers/promises";

const [timeoutMs = "2000", ...urls] = process.argv.slice(2);
for (const url of urls) {
  try {
    console.log(await fetchText(url, AbortSignal.timeout(Number(timeoutMs))));
  } catch (error) {
    console.log(`failed: ${causeOf(error).message}`);
    process.exitCode = 1;
  }
}
// A connection that was given up would keep the program waiting for ten seconds more.
process.exit();

/** A server that has only just been started is waited for. */
async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    try {
      return await (await fetch(url, { signal })).text();
    } catch (error) {
      const cause = causeOf(error);
      if (!("code" in cause) || cause.code !== "ECONNREFUSED") throw error;
      await delay(20, undefined, { signal });
    }
  }
}

/** fetch() wraps what really happened. */
function causeOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error.cause instanceof Error ? error.cause : error;
}
