import { writeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { messageOf, WeftError } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";
import { readableOnce } from "./epoll-event.ts";
import type { ExitHearingStart } from "./exit-hearing.ts";

/** What the thread of an {@link ExitWatch} is started with. */
export interface ExitWatchStart {
  readonly epollFd: number;
  /** Readable when the thread should end. */
  readonly wakeFd: number;
  /** What it listens to besides, and where it writes what it hears. */
  readonly hearing: ExitHearingStart | undefined;
}

/** Pairs of a descriptor and the serial number that it was watched under. */
export type EndedProcesses = Uint32Array;

interface Watched {
  readonly serial: number;
  readonly onEnd: () => void;
}

/**
 * Tells when processes end, however many: one epoll instance, and one thread that does nothing but wait for it.
 * The program stays alive while anything is watched.
 */
export class ExitWatch {
  readonly #epollFd = sys.epollCreate();
  readonly #wakeFd = sys.eventfd();
  readonly #watched = new Map<number, Watched>();
  readonly #onDeath: (error: WeftError) => void;
  #hearing: ExitHearingStart | undefined;
  #worker: Worker | undefined;
  #death: WeftError | undefined;
  #ended: Promise<void> = Promise.resolve();
  #serial = 0;
  #closed = false;

  /** `onDeath` is told when the thread died, so that no end is told any more: a defect, or no memory. */
  constructor(onDeath: (error: WeftError) => void) {
    this.#onDeath = onDeath;
  }

  /** Has the thread listen besides, before anything is watched; what it listens to is to be closed after this. */
  listen(hearing: ExitHearingStart): void {
    this.#hearing = hearing;
  }

  /** Calls `onEnd` once when the process behind `pidfd` has ended. Throws KernelError, and INTERNAL once the thread has died. */
  add(pidfd: number, onEnd: () => void): void {
    if (this.#death !== undefined) throw this.#death;
    this.#worker ??= this.#startThread();
    this.#serial = (this.#serial + 1) >>> 0;
    // The thread may be waiting in the same instance: the kernel wakes it for what is added too.
    sys.epollControl(this.#epollFd, sys.EPOLL_CTL_ADD, pidfd, readableOnce(pidfd, this.#serial));
    this.#watched.set(pidfd, { serial: this.#serial, onEnd });
    this.#worker.ref();
  }

  /** Watches `pidfd` no longer; to be called before it is closed. */
  remove(pidfd: number): void {
    if (!this.#watched.delete(pidfd)) return;
    sys.epollControl(this.#epollFd, sys.EPOLL_CTL_DEL, pidfd, readableOnce(pidfd));
    if (this.#watched.size === 0) this.#worker?.unref();
  }

  /** Ends the thread. Nothing is told any more. */
  async close(): Promise<void> {
    if (this.#closed) return this.#ended;
    this.#closed = true;
    this.#watched.clear();
    this.#worker?.ref();
    this.#wake();
    await this.#ended;
    sys.close(this.#epollFd);
    sys.close(this.#wakeFd);
  }

  #startThread(): Worker {
    const hearing = this.#hearing;
    const alwaysWatched = hearing === undefined ? [this.#wakeFd] : [this.#wakeFd, hearing.fd];
    const undo: (() => void)[] = [];
    try {
      for (const fd of alwaysWatched) {
        sys.epollControl(this.#epollFd, sys.EPOLL_CTL_ADD, fd, readableOnce(fd));
        undo.push(() => sys.epollControl(this.#epollFd, sys.EPOLL_CTL_DEL, fd, readableOnce(fd)));
      }
      return this.#newWorker({ epollFd: this.#epollFd, wakeFd: this.#wakeFd, hearing });
    } catch (error) {
      for (const step of undo) step();
      throw error;
    }
  }

  #newWorker(workerData: ExitWatchStart): Worker {
    const worker = new Worker(new URL("./exit-watch-thread.js", import.meta.url), {
      name: "weft-exits",
      execArgv: [],
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });
    // A program that ends joins its threads first, and would wait for this one forever.
    const wake = () => this.#wake();
    process.once("exit", wake);
    this.#ended = new Promise((resolve) => {
      worker.once("exit", () => {
        process.off("exit", wake);
        if (!this.#closed) this.#died("the thread that hears of ends has ended");
        resolve();
      });
    });
    worker.on("error", (error) => this.#died(`the thread that hears of ends died: ${messageOf(error)}`));
    worker.on("message", (ended: EndedProcesses) => this.#tell(ended));
    return worker;
  }

  #died(how: string): void {
    if (this.#death !== undefined) return;
    this.#death = new WeftError("INTERNAL", how);
    this.#onDeath(this.#death);
  }

  #wake(): void {
    const one = Buffer.alloc(8);
    one.writeUInt8(1);
    writeSync(this.#wakeFd, one);
  }

  #tell(ended: EndedProcesses): void {
    for (let i = 0; i < ended.length; i += 2) {
      const watched = this.#watched.get(ended[i] ?? -1);
      // Not one that was removed meanwhile, whose number another has by now.
      if (watched !== undefined && watched.serial === ended[i + 1]) watched.onEnd();
    }
  }
}
