import type { StartTimer } from "../../src/dns/timers.ts";

/** Timers that a test moves by hand. */
export class ManualTimers {
  readonly #running = new Set<{ left: number; readonly ms: number; readonly fire: () => void }>();

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

  /** Lets `ms` pass. */
  advance(ms: number): void {
    for (const timer of [...this.#running]) {
      timer.left -= ms;
      if (timer.left > 0) continue;
      this.#running.delete(timer);
      timer.fire();
    }
  }
}
