/**
 * The thread of exit-watch.ts, and nobody's to import: waits for processes to end, and never returns to Node's
 * event loop until it ends.
 */
import { parentPort, workerData } from "node:worker_threads";
import { WeftError } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";
import { readableOnce } from "./epoll-event.ts";
import { readExits } from "./exit-events.ts";
import { ExitTable } from "./exit-table.ts";
import type { EndedProcesses, ExitWatchStart } from "./exit-watch.ts";

if (parentPort === null) throw new WeftError("INTERNAL", "exit-watch-thread.ts is not for the main thread");
const port = parentPort;
const { epollFd, wakeFd, hearing }: ExitWatchStart = workerData; // ExitWatch starts no thread without it

const eventsAtOnce = 256;
const events = Buffer.alloc(eventsAtOnce * sys.epollEventBytes);
/** Exits of the machine are read this often at most, ms: each waking costs 30 us. */
const restMs = 20;
/** But not so soon after the end of one that is watched, ms: its own exit is told a moment later. */
const awakeMs = 50;
const table = hearing && new ExitTable(hearing.memory);
const message = Buffer.alloc(4096);
let isResting = false;
let awakeUntil = 0;

for (let going = true; going; ) {
  const count = sys.epollWait(epollFd, events, isResting ? restMs : -1);
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
  if (length > 0) awakeUntil = performance.now() + awakeMs;
  if (heard || isResting) listen(heard);
  if (length > 0) port.postMessage(ended.subarray(0, length));
}
port.close();

/** Reads what was heard, if anything, and listens on, perhaps after a rest. */
function listen(heard: boolean): void {
  if (hearing === undefined || table === undefined) return;
  if (heard) readExits(hearing.fd, message, table);
  isResting = heard && performance.now() >= awakeUntil;
  if (!isResting) sys.epollControl(epollFd, sys.EPOLL_CTL_MOD, hearing.fd, readableOnce(hearing.fd));
}
