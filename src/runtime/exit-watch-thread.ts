/**
 * The thread of exit-watch.ts, and nobody's to import: waits for processes to end, and never returns to Node's
 * event loop until it ends.
 */
import { parentPort, workerData } from "node:worker_threads";
import { WeftError } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";
import type { EndedProcesses, ExitWatchStart } from "./exit-watch.ts";

if (parentPort === null) throw new WeftError("INTERNAL", "exit-watch-thread.ts is not for the main thread");
const port = parentPort;
const { epollFd, wakeFd }: ExitWatchStart = workerData; // ExitWatch starts no thread without it

const eventsAtOnce = 256;
const events = Buffer.alloc(eventsAtOnce * sys.epollEventBytes);

for (let going = true; going; ) {
  const count = sys.epollWait(epollFd, events, -1);
  const ended: EndedProcesses = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const at = i * sys.epollEventBytes + sys.epollDataOffset;
    ended[2 * i] = events.readUInt32LE(at);
    ended[2 * i + 1] = events.readUInt32LE(at + 4);
    if (ended[2 * i] === wakeFd) going = false;
  }
  if (count > 0) port.postMessage(ended);
}
port.close();
