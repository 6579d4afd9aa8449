/**
 * How well this node itself seems to be, 0 best (Lifeguard's local health, arXiv:1707.00788). Who is slow to
 * hear answers gives the others more time before it accuses them.
 */
export class Awareness {
  readonly #limit: number;
  #score = 0;

  /** `limit` is one more than the worst score. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get score(): number {
    return this.#score;
  }

  /** Adds to the score; negative when something went well. */
  apply(delta: number): void {
    this.#score = Math.min(this.#limit - 1, Math.max(0, this.#score + delta));
  }

  /** `interval` ms, longer for a node in ill health. */
  scale(interval: number): number {
    return interval * (this.#score + 1);
  }
}
