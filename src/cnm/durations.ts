/** Upper bounds of the classes that durations are counted in, ms; what takes longer is in the class after the last. */
export const durationBounds: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
];

/** How often something was done and how long it took. Every figure only grows. */
export interface Durations {
  readonly count: number;
  /** Of these, those that failed. */
  readonly failures: number;
  /** All of them together, ms. */
  readonly totalMs: number;
  /** How many took at most as long as the bound of that place in {@link durationBounds} and longer than the one before; one class more than bounds. */
  readonly classes: readonly number[];
}

/** Counts {@link Durations}. */
export class DurationCounter {
  #count = 0;
  #failures = 0;
  #totalMs = 0;
  readonly #classes = new Array<number>(durationBounds.length + 1).fill(0);

  add(ms: number, failed: boolean): void {
    this.#count++;
    if (failed) this.#failures++;
    this.#totalMs += ms;
    let place = 0;
    for (const bound of durationBounds) {
      if (ms <= bound) break;
      place++;
    }
    this.#classes[place] = (this.#classes[place] ?? 0) + 1;
  }

  get figures(): Durations {
    const classes = [...this.#classes];
    return { count: this.#count, failures: this.#failures, totalMs: this.#totalMs, classes };
  }
}
