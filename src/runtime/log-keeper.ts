import { type FSWatcher, statSync, watch } from "node:fs";
import { type Clock, systemClock } from "../core/index.ts";
import { trimLog } from "./command-log.ts";

/** How often a log that is being written to is looked at, in ms. */
const betweenLooksMs = 250;
/** So many looks without a change, and a log is thought to be quiet. */
const quietLooks = 8;

interface KeptLog {
  readonly path: string;
  readonly maxBytes: number;
  /** Tells when a quiet log is written to again; undefined while it is looked at. */
  watcher: FSWatcher | undefined;
  size: number;
  /** What the log holds may be that much more before it is looked into, as of `size`. */
  room: number;
  unchanged: number;
}

/**
 * Bounds the logs of commands that write to them by themselves. A quiet log costs nothing but a watch of the
 * kernel's, one that is written to a look four times a second; so a log may hold, for a moment, what is written in
 * a quarter of a second more.
 */
export class LogKeeper {
  readonly #clock: Clock;
  readonly #onError: (error: unknown, path: string) => void;
  readonly #logs = new Map<string, KeptLog>();
  readonly #busy = new Set<KeptLog>();
  readonly #closing = new AbortController();
  #rounds: Promise<void> | undefined;

  /** `onError` is told when a log cannot be trimmed, which is tried again when it has grown further. */
  constructor(options: {
    readonly clock?: Clock;
    readonly onError: (error: unknown, path: string) => void;
  }) {
    this.#clock = options.clock ?? systemClock;
    this.#onError = options.onError;
  }

  /** Bounds the log at `path`, which must be there, to about `maxBytes`. */
  keep(path: string, maxBytes: number): void {
    this.release(path);
    const log: KeptLog = { path, maxBytes, watcher: undefined, size: 0, room: 0, unchanged: 0 };
    this.#logs.set(path, log);
    this.#lookAfter(log);
  }

  /** Looks at the log at `path` once more, and leaves it alone from now on. */
  release(path: string): void {
    const log = this.#logs.get(path);
    if (log === undefined) return;
    this.#logs.delete(path);
    this.#busy.delete(log);
    log.watcher?.close();
    this.#try(log, () => bound(log));
  }

  /** Leaves all logs alone. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const { watcher } of this.#logs.values()) watcher?.close();
    this.#logs.clear();
    this.#busy.clear();
    await this.#rounds;
  }

  #lookAfter(log: KeptLog): void {
    log.watcher?.close();
    log.watcher = undefined;
    log.unchanged = 0;
    this.#busy.add(log);
    this.#rounds ??= this.#goRound();
  }

  async #goRound(): Promise<void> {
    do {
      try {
        await this.#clock.sleep(betweenLooksMs, this.#closing.signal);
      } catch {
        break; // closed
      }
      for (const log of this.#busy) this.#look(log);
    } while (this.#busy.size > 0);
    this.#rounds = undefined;
  }

  #look(log: KeptLog): void {
    this.#try(log, () => {
      bound(log);
      if (log.unchanged >= quietLooks) this.#rest(log);
    });
  }

  #try(log: KeptLog, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#busy.delete(log);
      this.#onError(error, log.path);
    }
  }

  #rest(log: KeptLog): void {
    this.#busy.delete(log);
    try {
      log.watcher = watch(log.path, { persistent: false }, () => this.#lookAfter(log));
      log.watcher.on("error", () => this.#lookAfter(log));
    } catch {
      this.#lookAfter(log); // no watch to be had: looked at for good
      return;
    }
    // What was written between the last look and the watch is not told.
    if (statSync(log.path).size !== log.size) this.#lookAfter(log);
  }
}

/** Takes what is too much out of a log. Throws Node's errors and KernelError. */
function bound(log: KeptLog): void {
  const { size } = statSync(log.path);
  log.unchanged = size === log.size ? log.unchanged + 1 : 0;
  if (size < log.size || size - log.size > log.room) {
    log.room = 0; // should the trimming fail
    log.room = Math.max(0, log.maxBytes - trimLog(log.path, log.maxBytes));
  } else {
    log.room -= size - log.size;
  }
  log.size = size;
}
