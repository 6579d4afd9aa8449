/**
 * The thread of exit-watch.ts, and nobody's to import: waits for processes to end, and never returns to Node's
 * event loop until it ends.
 */
import { parentPort, workerData } from "node:worker_threads";
import { WeftError } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";
import { readableOnce } from "./epoll-event.ts";
import { readExits } from "./exit-events.ts";
import { ExitRing } from "./exit-ring.ts";
import type { EndedProcesses, ExitWatchStart } from "./exit-watch.ts";

if (parentPort === null) throw new WeftError("INTERNAL", "exit-watch-thread.ts is not for the main thread");
const port = parentPort;
const { epollFd, wakeFd, hearing }: ExitWatchStart = workerData; // ExitWatch starts no thread without it

const eventsAtOnce = 256;
const events = Buffer.alloc(eventsAtOnce * sys.epollEventBytes);
/** Exits of the machine are read this often at most, ms, unless one that is watched has ended: each waking costs 30 us. */
const restMs = 20;
const ring = hearing && new ExitRing(hearing.memory);
const message = Buffer.alloc(4096);
let resting = false;

for (let going = true; going; ) {
  const count = sys.epollWait(epollFd, events, resting ? restMs : -1);
  const ended: EndedProcesses = new Uint32Array(2 * count);
  let length = 0;
  let heard = false;
  for (let i = 0; i < count; i++) {
    const at = i * sys.epollEventBytes + sys.epollDataOffset;
    const fd = events.readUInt32LE(at);
    if (fd === wakeFd) going = false;
    else if (fd === hearing?.fd) heard = true;
    else {
      ended[length++] = fd;
      ended[length++] = events.readUInt32LE(at + 4);
    }
  }
  if (heard) read();
  // Their own exits are told a moment after their ends.
  if (resting && (!heard || length > 0)) listen();
  if (length > 0) port.postMessage(ended.subarray(0, length));
}
port.close();

function read(): void {
  if (hearing && ring) readExits(hearing.fd, message, ring);
  resting = true;
}

function listen(): void {
  if (hearing) sys.epollControl(epollFd, sys.EPOLL_CTL_MOD, hearing.fd, readableOnce(hearing.fd));
  resting = false;
}
