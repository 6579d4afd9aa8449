import { isDeepStrictEqual } from "node:util";
import { Events, type Unsubscribe } from "../../core/index.ts";
import { inNetns } from "../netns.ts";
import type { NetlinkMessage } from "./message.ts";
import { type MonitorEvent, NetlinkMonitor } from "./monitor.ts";
import { NetlinkSocket } from "./socket.ts";

/** What one message says of a table. */
export type TableEvent<T> =
  | { readonly kind: "present"; readonly value: T }
  | { readonly kind: "absent"; readonly key: string };

/** How to read one of the kernel's tables, and to follow its changes. */
export interface TableSource<T> {
  /** Netlink family. */
  readonly family: number;
  /** Multicast groups that tell of all its changes. */
  readonly groups: readonly number[];
  /** Reads all of it. */
  list(socket: NetlinkSocket): readonly T[];
  /** What makes an entry the same entry. */
  key(value: T): string;
  /** What a message says; nothing when it is about something else. */
  events(message: NetlinkMessage, entries: ReadonlyMap<string, T>): readonly TableEvent<T>[];
}

/** A change of a table, as seen from here. */
export type TableChange<T> =
  | { readonly kind: "added"; readonly value: T }
  | { readonly kind: "changed"; readonly value: T; readonly former: T }
  | { readonly kind: "removed"; readonly former: T };

/** Where a table is, and how much the kernel keeps for it. */
export interface LiveTableOptions {
  /** Namespace of the table; the calling thread's when absent. Needed only while it is opened. */
  readonly netnsFd?: number | undefined;
  /** See {@link NetlinkMonitor}. */
  readonly receiveBufferBytes?: number | undefined;
  /** Called once when the table can no longer be followed; thrown out of the event loop when absent. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

/**
 * A copy of one of the kernel's tables that is kept in step: read once, then changed by the kernel's
 * messages, and read anew when it dropped some. Events come late by nature; {@link LiveTable.sync}
 * waits for what has happened until now. An entry that comes and goes quickly may never be seen.
 */
export class LiveTable<T> {
  readonly #source: TableSource<T>;
  readonly #socket: NetlinkSocket;
  readonly #monitor: NetlinkMonitor;
  readonly #changes = new Events<readonly TableChange<T>[]>();
  readonly #entries = new Map<string, T>();
  readonly #onFailure: (error: unknown) => void;
  #overruns = 0;
  #failure: { readonly error: unknown } | undefined;

  private constructor(
    source: TableSource<T>,
    socket: NetlinkSocket,
    monitor: NetlinkMonitor,
    onFailure: (error: unknown) => void = rethrow,
  ) {
    this.#source = source;
    this.#socket = socket;
    this.#monitor = monitor;
    this.#onFailure = onFailure;
    monitor.subscribe((events) => this.#take(events));
    this.#readAnew([]);
  }

  /** Begins to follow a table; its entries are there at once. Throws KernelError. */
  static open<T>(source: TableSource<T>, options: LiveTableOptions = {}): LiveTable<T> {
    const { netnsFd, receiveBufferBytes } = options;
    const open = () => NetlinkSocket.open(source.family);
    const socket = netnsFd === undefined ? open() : inNetns(netnsFd, open);
    let monitor: NetlinkMonitor | undefined;
    try {
      const { family, groups } = source;
      // Listening before reading: what changes in between is told twice rather than never.
      monitor = NetlinkMonitor.open({ family, groups, netnsFd, receiveBufferBytes });
      return new LiveTable(source, socket, monitor, options.onFailure);
    } catch (error) {
      socket.close();
      void monitor?.close();
      throw error;
    }
  }

  /** The entries by their keys. */
  get entries(): ReadonlyMap<string, T> {
    return this.#entries;
  }

  /** How often the kernel dropped messages and the table was read anew. */
  get overruns(): number {
    return this.#overruns;
  }

  /** The monitor beneath, to pause it. */
  get monitor(): Pick<NetlinkMonitor, "pause" | "resume"> {
    return this.#monitor;
  }

  /** Calls `listener` with the changes, together where they came together. */
  subscribe(listener: (changes: readonly TableChange<T>[]) => void): Unsubscribe {
    return this.#changes.subscribe(listener);
  }

  /** Resolves when the table shows all that happened until now. Rejects when it can no longer be followed. */
  async sync(): Promise<void> {
    await this.#monitor.flush();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Stops following. */
  async close(): Promise<void> {
    this.#socket.close();
    await this.#monitor.close();
  }

  #take(events: readonly MonitorEvent[]): void {
    if (this.#failure !== undefined) return;
    const changes: TableChange<T>[] = [];
    try {
      for (const event of events) this.#follow(event, changes);
    } catch (error) {
      this.#failure = { error };
      this.#onFailure(error);
    }
    if (changes.length > 0) this.#changes.emit(changes);
  }

  #follow(event: MonitorEvent, changes: TableChange<T>[]): void {
    if (event.kind === "failed") throw event.error;
    if (event.kind === "message") {
      this.#apply(event.message, changes);
    } else {
      this.#overruns++;
      this.#readAnew(changes);
    }
  }

  #apply(message: NetlinkMessage, changes: TableChange<T>[]): void {
    for (const event of this.#source.events(message, this.#entries)) {
      if (event.kind === "present") this.#put(this.#source.key(event.value), event.value, changes);
      else this.#remove(event.key, changes);
    }
  }

  #readAnew(changes: TableChange<T>[]): void {
    const found = new Map(this.#source.list(this.#socket).map((value) => [this.#source.key(value), value]));
    for (const key of [...this.#entries.keys()]) if (!found.has(key)) this.#remove(key, changes);
    for (const [key, value] of found) this.#put(key, value, changes);
  }

  #put(key: string, value: T, changes: TableChange<T>[]): void {
    const former = this.#entries.get(key);
    if (former === undefined) changes.push({ kind: "added", value });
    else if (!isDeepStrictEqual(former, value)) changes.push({ kind: "changed", value, former });
    this.#entries.set(key, value);
  }

  #remove(key: string, changes: TableChange<T>[]): void {
    const former = this.#entries.get(key);
    if (former === undefined) return;
    this.#entries.delete(key);
    changes.push({ kind: "removed", former });
  }
}

function rethrow(error: unknown): void {
  throw error; // the monitor's events rethrow it later
}
