/** The resolver's own worker, which besides throws when it is told to flush its cache. */
import { parentPort } from "node:worker_threads";
import "../../src/dns/dns-worker.ts";
import type { ToWorker } from "../../src/dns/messages.ts";

parentPort?.on("message", (messages: readonly ToWorker[]) => {
  if (messages.some(({ kind }) => kind === "flush-cache")) throw new Error("worker test crash");
});
