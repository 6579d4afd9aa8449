import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";

/**
 * Keeps a process from ending while a thread of it loads koffi, which takes some 50 ms: the thread would be stopped
 * in the middle of a call that koffi cannot take back, and the process aborted with a core dump. Whoever loads koffi
 * imports this first.
 */

/** Under which every thread finds the same two numbers. */
const key = "weft: threads that load koffi";
/** Where the numbers are: how many threads are loading it, and whether the process ends. */
const loading = 0;
const ending = 1;
/** How long the end waits for them at most, ms: a thread that was ended while it loaded koffi never says so. */
const patienceMs = 2000;

const shared = sharedNumbers();
let isCounted = false;
if (!isMainThread && shared !== undefined) begin(shared);

/** Says that this thread has loaded koffi. */
export function koffiIsLoaded(): void {
  if (shared !== undefined) end(shared);
}

/** Undefined in a thread of a process whose main thread has no use for koffi. */
function sharedNumbers(): Int32Array | undefined {
  const known = getEnvironmentData(key);
  if (known instanceof Int32Array) return known;
  if (!isMainThread) return undefined;
  const made = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  setEnvironmentData(key, made);
  process.once("exit", () => waitForThreads(made));
  return made;
}

function begin(numbers: Int32Array): void {
  isCounted = true;
  Atomics.add(numbers, loading, 1);
  process.once("exit", () => end(numbers)); // where it could not be loaded
  if (Atomics.load(numbers, ending) === 0) return;
  // It is too late to begin: this thread waits to be stopped.
  end(numbers);
  Atomics.wait(numbers, ending, 1, patienceMs);
}

function end(numbers: Int32Array): void {
  if (!isCounted) return;
  isCounted = false;
  Atomics.sub(numbers, loading, 1);
  Atomics.notify(numbers, loading);
}

function waitForThreads(numbers: Int32Array): void {
  Atomics.store(numbers, ending, 1);
  const deadline = performance.now() + patienceMs;
  for (let threads = Atomics.load(numbers, loading); threads > 0; threads = Atomics.load(numbers, loading)) {
    const left = deadline - performance.now();
    if (left <= 0 || Atomics.wait(numbers, loading, threads, left) === "timed-out") return;
  }
}
