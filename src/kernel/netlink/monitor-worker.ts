import { readSync } from "node:fs";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { messageOf } from "../../core/index.ts";
import { isKernelError } from "../kernel-error.ts";
import * as sys from "../syscalls.ts";
import { type DatagramFilter, datagramFilter } from "./datagram-filter.ts";
import { inFlightLimit, type MonitorCommand, type MonitorReport, stopByte } from "./monitor-protocol.ts";

/** The thread that waits for all monitored sockets of a process. It never returns to its event loop. */

/** Datagrams of one report; more make a next one, so that sockets take turns. */
const batchSize = 256;
/**
 * For how long a socket whose filter passes most over is left alone once it was read, ms: waking up for
 * each datagram costs more than the datagram. What comes meanwhile waits in the kernel.
 */
const restMs = 20;

interface Watched {
  readonly id: number;
  readonly fd: number;
  /** Bytes posted and not yet handled; the main thread counts down. */
  readonly inFlight: Int32Array;
  /** What is worth posting; all when absent. */
  readonly filter: DatagramFilter | undefined;
  paused: boolean;
  /** When it may be read again, by performance.now(). */
  restsUntil: number;
  /** The kernel dropped something since the last report of it. */
  overrun: boolean;
  failed: boolean;
}

const port = parentPort;
// The main thread starts this file with the read end of the wake-up pipe.
const { wakeFd } = workerData as { readonly wakeFd: number };
const watched = new Map<number, Watched>();
const buffer = Buffer.allocUnsafe(256 * 1024);
const wakeBytes = Buffer.alloc(64);

function post(report: MonitorReport): void {
  port?.postMessage(report);
}

/** Reads a batch; all that waits when something was lost, for only then can that be told. */
function read(socket: Watched): void {
  while (drain(socket) && socket.overrun);
}

/** Reads up to a batch of datagrams and posts them. False when nothing more was waiting. */
function drain(socket: Watched): boolean {
  const datagrams: Uint8Array[] = [];
  let more = true;
  while (more && datagrams.length < batchSize) more = receive(socket, datagrams);
  // After an overrun the kernel drops all until the queue is empty. Only then does a new dump show
  // whatever was lost, so that is when it is told.
  const overrun = socket.overrun && !more;
  if (overrun) {
    socket.overrun = false;
    socket.filter?.reset();
  }
  if (datagrams.length > 0 || overrun) post({ kind: "batch", id: socket.id, datagrams, overrun });
  return more;
}

function receive(socket: Watched, datagrams: Uint8Array[]): boolean {
  try {
    const length = sys.recvNow(socket.fd, buffer, "monitor", sys.MSG_TRUNC);
    if (length === undefined) return false;
    if (length > buffer.length) {
      socket.overrun = true; // one that is larger than any the kernel sends is as good as lost
    } else {
      for (const datagram of passed(socket, length)) {
        datagrams.push(datagram);
        Atomics.add(socket.inFlight, 0, datagram.length);
      }
    }
    return true;
  } catch (error) {
    if (isKernelError(error, "EINTR")) return true;
    if (isKernelError(error, "ENOBUFS")) {
      socket.overrun = true;
      return true;
    }
    socket.failed = true;
    post({ kind: "failed", id: socket.id, error: messageOf(error) });
    return false;
  }
}

/** What there is to post now that a datagram of that length stands in the buffer. */
function passed({ filter }: Watched, length: number): readonly Uint8Array[] {
  if (filter !== undefined) return filter.pass(buffer.subarray(0, length));
  return [Uint8Array.prototype.slice.call(buffer, 0, length)];
}

function obey(command: MonitorCommand): void {
  if (command.kind === "add") {
    const { id, fd, inFlight } = command;
    const filter = command.filter === undefined ? undefined : datagramFilter(command.filter);
    const state = { paused: false, restsUntil: 0, overrun: false, failed: false };
    watched.set(id, { id, fd, filter, inFlight: new Int32Array(inFlight), ...state });
    return;
  }
  const socket = watched.get(command.id);
  switch (command.kind) {
    case "remove":
      watched.delete(command.id);
      post({ kind: "removed", id: command.id });
      break;
    case "pause":
      if (socket !== undefined) socket.paused = true;
      post({ kind: "paused", id: command.id, token: command.token });
      break;
    case "resume":
      if (socket !== undefined) socket.paused = false;
      break;
    case "flush":
      if (socket !== undefined && !socket.failed) while (drain(socket));
      post({ kind: "flushed", id: command.id, token: command.token });
  }
}

/** Empties the wake-up pipe and obeys what waits. False when the process wants this thread to end. */
function wake(): boolean {
  const length = readSync(wakeFd, wakeBytes);
  if (length === 0 || wakeBytes.subarray(0, length).includes(stopByte)) return false;
  while (port !== null) {
    const received: { message: MonitorCommand } | undefined = receiveMessageOnPort(port);
    if (received === undefined) break;
    obey(received.message);
  }
  return true;
}

function isReadable(socket: Watched): boolean {
  return !socket.paused && !socket.failed && Atomics.load(socket.inFlight, 0) < inFlightLimit;
}

function run(): void {
  for (;;) {
    const now = performance.now();
    const readable = [...watched.values()].filter(isReadable);
    const sockets = readable.filter(({ restsUntil }) => restsUntil <= now);
    const rests = readable.flatMap(({ restsUntil }) => (restsUntil > now ? [restsUntil - now] : []));
    const timeoutMs = rests.length === 0 ? -1 : Math.ceil(Math.min(...rests));
    const ready = new Set(sys.pollReadable([wakeFd, ...sockets.map((one) => one.fd)], timeoutMs));
    if (ready.has(wakeFd) && !wake()) return;
    // A socket that was removed just now may be another's descriptor already.
    for (const socket of sockets) {
      if (!ready.has(socket.fd) || watched.get(socket.id) !== socket || !isReadable(socket)) continue;
      read(socket);
      if (socket.filter !== undefined) socket.restsUntil = performance.now() + restMs;
    }
  }
}

run();
port?.close();
