import type { StartTimer } from "../../src/dns/timers.ts";

interface ManualTimer {
  left: number;
  readonly ms: number;
  readonly fire: () => void;
}

/** Timers, and a clock, that a test moves by hand. */
export class ManualTimers {
  readonly #running = new Set<ManualTimer>();
  #now = 0;

  readonly start: StartTimer = (ms, fire) => {
    const timer = { left: ms, ms, fire };
    this.#running.add(timer);
    return {
      refresh: () => {
        timer.left = ms;
      },
      stop: () => void this.#running.delete(timer),
    };
  };

  /** How many run. */
  get running(): number {
    return this.#running.size;
  }

  /** The time that has passed, ms. */
  readonly now = (): number => this.#now;

  /** Lets `ms` pass; what is due fires in its order, at its time. */
  advance(ms: number): void {
    let left = ms;
    for (;;) {
      const [next] = [...this.#running].sort((a, b) => a.left - b.left);
      if (next === undefined || next.left > left) break;
      left -= next.left;
      this.#pass(next.left);
      this.#running.delete(next);
      next.fire();
    }
    this.#pass(left);
  }

  #pass(ms: number): void {
    this.#now += ms;
    for (const timer of this.#running) timer.left -= ms;
  }
}
