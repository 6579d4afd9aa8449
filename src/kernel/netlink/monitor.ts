import { Events, messageOf, type Unsubscribe, WeftError } from "../../core/index.ts";
import { inNetns } from "../netns.ts";
import * as sys from "../syscalls.ts";
import { type MonitorFilter, queryOf } from "./datagram-filter.ts";
import { openListener } from "./listen.ts";
import { type NetlinkMessage, NLM_F_DUMP, NLM_F_REQUEST, readMessages, writeMessage } from "./message.ts";
import { inFlightLimit, type MonitorReport } from "./monitor-protocol.ts";
import { leaveMonitorThread, type MonitorThread, monitorThread } from "./monitor-thread.ts";
import { Writer } from "./wire.ts";

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
  /** What is worth telling; all when absent. */
  readonly filter?: MonitorFilter | undefined;
  /** It does not keep the process alive by itself, but while somebody waits for its answer. */
  readonly background?: boolean | undefined;
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
 * keeps the process alive unless it was opened for the background.
 */
export class NetlinkMonitor {
  readonly #id = ++lastId;
  readonly #fd: number;
  readonly #thread: MonitorThread;
  readonly #filter: MonitorFilter | undefined;
  readonly #background: boolean;
  readonly #events = new Events<readonly MonitorEvent[]>();
  readonly #inFlight = new Int32Array(new SharedArrayBuffer(4));
  readonly #questions = new Map<number, Question>();
  #lastToken = 0;
  #closing: Promise<void> | undefined;
  #removed: (() => void) | undefined;
  #failure: WeftError | undefined;

  private constructor(fd: number, { filter, background = false }: MonitorOptions) {
    this.#fd = fd;
    this.#filter = filter;
    this.#background = background;
    this.#query();
    this.#thread = monitorThread();
    if (!background) this.#thread.hold();
    this.#thread.add(this.#id, (report) => this.#handle(report));
    this.#thread.command({ kind: "add", id: this.#id, fd, inFlight: this.#inFlight.buffer, filter });
  }

  /** Begins to listen: nothing that happens from now on is missed untold. Throws KernelError. */
  static open(options: MonitorOptions): NetlinkMonitor {
    const { family, groups, netnsFd, receiveBufferBytes = defaultReceiveBufferBytes } = options;
    const open = () => openListener(family, groups, receiveBufferBytes);
    const fd = netnsFd === undefined ? open() : inNetns(netnsFd, open);
    try {
      return new NetlinkMonitor(fd, options);
    } catch (error) {
      sys.close(fd);
      throw error;
    }
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
    this.#thread.hold();
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
    this.#thread.release();
    if (!this.#background) this.#thread.release();
  }

  async #ask(kind: "flush" | "pause"): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closing !== undefined) return;
    const token = ++this.#lastToken;
    this.#thread.hold();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#questions.set(token, { resolve, reject });
        this.#thread.command({ kind, id: this.#id, token });
      });
    } finally {
      this.#thread.release();
    }
  }

  /** Asks for what the filter has to know first; the kernel answers as the worker receives. */
  #query(): void {
    const query = queryOf(this.#filter);
    if (query === undefined) return;
    const writer = new Writer();
    writeMessage(writer, query, NLM_F_REQUEST | NLM_F_DUMP, 1);
    sys.send(this.#fd, writer.finish(), query.call, query.object);
  }

  /** What the filter knew is out of date after an overrun. */
  #queryAgain(): void {
    try {
      this.#query();
    } catch (error) {
      this.#fail(messageOf(error));
    }
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
    if (overrun && this.#closing === undefined) this.#queryAgain();
    if (this.#closing === undefined && events.length > 0) this.#events.emit(events);
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
