import * as sys from "../kernel/syscalls.ts";
import { CommandChild } from "./command-child.ts";

/** Processes that wait for a command to become. They end by themselves when this process does. */
export class SpareChildren {
  readonly #waiting: CommandChild[] = [];
  #wanted = 0;
  #self: number | undefined;

  /** From now on so many are to wait. */
  keep(count: number): void {
    this.#wanted = count;
    this.refill();
  }

  /** One that waits, if there is one: the oldest, which has had the most time to get ready. */
  take(): CommandChild | undefined {
    return this.#waiting.shift();
  }

  /** Starts as many as are missing. One that cannot be is no loss: a command is started without it. */
  refill(): void {
    while (this.#waiting.length < this.#wanted) {
      let spare: CommandChild;
      try {
        this.#self ??= sys.pidfdOpen(process.pid);
        spare = CommandChild.spawnAhead(this.#self);
      } catch {
        return;
      }
      this.#waiting.push(spare);
      void spare.exited.then(() => this.#forget(spare));
    }
  }

  /** Ends those that wait, and starts no more. */
  giveUp(): void {
    this.#wanted = 0;
    for (const spare of this.#waiting.splice(0)) spare.end();
    if (this.#self !== undefined) sys.close(this.#self);
    this.#self = undefined;
  }

  #forget(spare: CommandChild): void {
    const at = this.#waiting.indexOf(spare);
    if (at >= 0) this.#waiting.splice(at, 1);
  }
}
