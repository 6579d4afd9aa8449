import { writeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import * as sys from "../syscalls.ts";
import { type MonitorCommand, type MonitorReport, stopByte, wakeByte } from "./monitor-protocol.ts";

/** Who is told of the reports for one socket. */
export type ReportListener = (report: MonitorReport) => void;

// tsc leaves the text of a URL alone, so that it names the compiled file.
const workerFile = new URL("./monitor-worker.js", import.meta.url);

/**
 * The one thread of a process that waits for its monitored sockets. It starts with the first of them
 * and ends with the last. It keeps the process alive while somebody holds it.
 */
class MonitorThread {
  readonly #worker: Worker;
  readonly #wake = sys.pipe();
  readonly #listeners = new Map<number, ReportListener>();
  #holders = 0;
  readonly #stop = () => this.#signal(stopByte);

  constructor() {
    // Options of the program's own start, such as --input-type, are not for this file.
    this.#worker = new Worker(workerFile, { workerData: { wakeFd: this.#wake.read }, execArgv: [] });
    this.#worker.on("message", (report: MonitorReport) => this.#listeners.get(report.id)?.(report));
    this.#worker.once("exit", () => this.#ended());
    this.#worker.unref();
    // A thread that waits in the kernel is not ended by process.exit(), which would wait for it for ever.
    process.once("exit", this.#stop);
  }

  /** Keeps the process alive until {@link release} was called as often. */
  hold(): void {
    if (this.#holders++ === 0) this.#worker.ref();
  }

  release(): void {
    if (--this.#holders === 0) this.#worker.unref();
  }

  /** Number of sockets it waits for. */
  get size(): number {
    return this.#listeners.size;
  }

  add(id: number, listener: ReportListener): void {
    this.#listeners.set(id, listener);
  }

  remove(id: number): void {
    this.#listeners.delete(id);
  }

  command(command: MonitorCommand): void {
    this.#worker.postMessage(command);
    this.wake();
  }

  /** Makes the worker look at its commands and counters. */
  wake(): void {
    this.#signal(wakeByte);
  }

  /** Ends the thread; resolves when it is gone. */
  async stop(): Promise<void> {
    const exited = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    this.hold();
    this.#stop();
    await exited;
  }

  #signal(byte: number): void {
    writeSync(this.#wake.write, Uint8Array.of(byte));
  }

  #ended(): void {
    process.removeListener("exit", this.#stop);
    sys.close(this.#wake.read);
    sys.close(this.#wake.write);
    // Nobody may wait for ever for what a worker that died will not say.
    for (const [id, listener] of this.#listeners)
      listener({ kind: "failed", id, error: "the monitor thread ended" });
  }
}

let current: MonitorThread | undefined;

/** The thread, started if there is none. */
export function monitorThread(): MonitorThread {
  current ??= new MonitorThread();
  return current;
}

/** Forgets a socket, and ends the thread when that was the last; resolves when it is gone. */
export async function leaveMonitorThread(thread: MonitorThread, id: number): Promise<void> {
  thread.remove(id);
  if (thread.size > 0) return;
  // A monitor that is opened meanwhile gets a new thread.
  if (current === thread) current = undefined;
  await thread.stop();
}

export type { MonitorThread };
