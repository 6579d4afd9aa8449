import { Events, type Unsubscribe, WeftError } from "../../core/index.ts";
import { inNetns } from "../netns.ts";
import * as sys from "../syscalls.ts";
import { openListener } from "./listen.ts";
import { type NetlinkMessage, readMessages } from "./message.ts";
import { inFlightLimit, type MonitorReport } from "./monitor-protocol.ts";
import { leaveMonitorThread, type MonitorThread, monitorThread } from "./monitor-thread.ts";

/** What a {@link NetlinkMonitor} listens to. */
export interface MonitorOptions {
  /** Namespace to listen in; the calling thread's when absent. Needed only while it is opened. */
  readonly netnsFd?: number | undefined;
  /** NETLINK_ROUTE and the like. */
  readonly family: number;
  /** Multicast groups, RTNLGRP_*. */
  readonly groups: readonly number[];
  /** Room in the kernel, bytes (which counts twice that for its bookkeeping). */
  readonly receiveBufferBytes?: number | undefined;
}

/** What a monitor tells. The payloads of messages are the listener's to keep. */
export type MonitorEvent =
  | { readonly kind: "message"; readonly message: NetlinkMessage }
  /** The kernel dropped messages before this point: what is known has to be read anew. */
  | { readonly kind: "overrun" }
  /** Nothing more will come. */
  | { readonly kind: "failed"; readonly error: WeftError };

const defaultReceiveBufferBytes = 1024 * 1024;

/** Somebody who waits for an answer of the worker. */
interface Question {
  readonly resolve: () => void;
  readonly reject: (error: WeftError) => void;
}

let lastId = 0;

/**
 * Listens to what the kernel tells of changes. A thread of its own waits for all monitors of the
 * process; events come in batches, in order, on the thread that opened the monitor. An open monitor
 * keeps the process alive.
 */
export class NetlinkMonitor {
  readonly #id = ++lastId;
  readonly #fd: number;
  readonly #thread: MonitorThread;
  readonly #events = new Events<readonly MonitorEvent[]>();
  readonly #inFlight = new Int32Array(new SharedArrayBuffer(4));
  readonly #questions = new Map<number, Question>();
  #lastToken = 0;
  #closing: Promise<void> | undefined;
  #removed: (() => void) | undefined;
  #failure: WeftError | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
    this.#thread = monitorThread();
    this.#thread.add(this.#id, (report) => this.#handle(report));
    this.#thread.command({ kind: "add", id: this.#id, fd, inFlight: this.#inFlight.buffer });
  }

  /** Begins to listen: nothing that happens from now on is missed untold. Throws KernelError. */
  static open(options: MonitorOptions): NetlinkMonitor {
    const { family, groups, netnsFd, receiveBufferBytes = defaultReceiveBufferBytes } = options;
    const open = () => openListener(family, groups, receiveBufferBytes);
    return new NetlinkMonitor(netnsFd === undefined ? open() : inNetns(netnsFd, open));
  }

  /** Calls `listener` with each batch of events. */
  subscribe(listener: (events: readonly MonitorEvent[]) => void): Unsubscribe {
    return this.#events.subscribe(listener);
  }

  /** Resolves when all that the kernel had to tell until now was given to the listeners. Rejects when the monitor failed. */
  flush(): Promise<void> {
    return this.#ask("flush");
  }

  /** Stops reading, so that the kernel keeps what it has room for; resolves when nothing more will come. */
  pause(): Promise<void> {
    return this.#ask("pause");
  }

  /** Reads again after {@link pause}. */
  resume(): void {
    if (this.#closing === undefined) this.#thread.command({ kind: "resume", id: this.#id });
  }

  /** Stops listening and gives back socket and thread; no listener is called from now on. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#failure === undefined) {
      const removed = new Promise<void>((resolve) => {
        this.#removed = resolve;
      });
      this.#thread.command({ kind: "remove", id: this.#id });
      await removed;
    }
    sys.close(this.#fd);
    for (const { resolve } of this.#questions.values()) resolve();
    await leaveMonitorThread(this.#thread, this.#id);
  }

  async #ask(kind: "flush" | "pause"): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closing !== undefined) return;
    const token = ++this.#lastToken;
    await new Promise<void>((resolve, reject) => {
      this.#questions.set(token, { resolve, reject });
      this.#thread.command({ kind, id: this.#id, token });
    });
  }

  #handle(report: MonitorReport): void {
    switch (report.kind) {
      case "batch":
        this.#batch(report.datagrams, report.overrun);
        break;
      case "removed":
        this.#removed?.();
        break;
      case "paused":
      case "flushed":
        this.#questions.get(report.token)?.resolve();
        this.#questions.delete(report.token);
        break;
      case "failed":
        this.#fail(report.error);
    }
  }

  #batch(datagrams: readonly Uint8Array[], overrun: boolean): void {
    const events: MonitorEvent[] = [];
    let size = 0;
    for (const datagram of datagrams) {
      size += datagram.length;
      const bytes = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length);
      for (const message of readMessages(bytes)) events.push({ kind: "message", message });
    }
    if (overrun) events.push({ kind: "overrun" });
    if (this.#closing === undefined) this.#events.emit(events);
    const before = Atomics.sub(this.#inFlight, 0, size);
    if (before >= inFlightLimit && before - size < inFlightLimit) this.#thread.wake();
  }

  #fail(words: string): void {
    const error = new WeftError("INTERNAL", `netlink monitor: ${words}`);
    this.#failure = error;
    for (const { reject } of this.#questions.values()) reject(error);
    this.#questions.clear();
    this.#removed?.();
    if (this.#closing === undefined) this.#events.emit([{ kind: "failed", error }]);
  }
}
