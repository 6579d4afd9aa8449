/** Ends while a thread of it loads koffi: at the file `argv[2]` is then what that thread did before it was stopped. */
import { writeFileSync } from "node:fs";
import { getEnvironmentData, isMainThread, Worker } from "node:worker_threads";
import { koffiIsLoaded } from "../../src/kernel/koffi-loading.ts";

if (isMainThread) {
  const numbers = getEnvironmentData("weft: threads that load koffi");
  if (!(numbers instanceof Int32Array)) throw new TypeError("threads are not counted");
  new Worker(new URL(import.meta.url), { argv: process.argv.slice(2), execArgv: [] });
  // The thread began to load, and this one never lets go of the event loop.
  while (Atomics.load(numbers, 0) === 0);
  process.exit(3);
} else {
  // Long enough for the main thread to get to its end.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  writeFileSync(process.argv[2] ?? "", "loaded");
  koffiIsLoaded();
}
