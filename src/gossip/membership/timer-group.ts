import type { Dice, Timers } from "../environment.ts";

/** The alarms of one node: when it is closed none of them rings any more, and none keeps the process alive. */
export class TimerGroup implements Timers {
  readonly #timers: Timers;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  monotonic(): number {
    return this.#timers.monotonic();
  }

  after(delay: number, task: () => void): () => void {
    if (this.#closed) return () => {};
    const cancelAlarm = this.#timers.after(delay, () => {
      this.#waiting.delete(cancel);
      task();
    });
    const cancel = () => {
      this.#waiting.delete(cancel);
      cancelAlarm();
    };
    this.#waiting.add(cancel);
    return cancel;
  }

  /**
   * Runs `task` again and again, `interval()` ms after it ran last; the first time after a part of that by chance,
   * for nodes that were started together must not do everything together.
   */
  every(dice: Dice, interval: () => number, task: () => void): void {
    const next = (delay: number) => {
      this.after(delay, () => {
        next(interval());
        task();
      });
    };
    next(dice.fraction() * interval());
  }

  close(): void {
    this.#closed = true;
    for (const cancel of [...this.#waiting]) cancel();
  }
}
