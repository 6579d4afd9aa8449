import type { Timers } from "../environment.ts";

/** So much a second and no more: what somebody else's messages make this node do. */
export class Allowance {
  readonly #timers: Timers;
  readonly #perSecond: number;
  #second = Number.NEGATIVE_INFINITY;
  #left = 0;

  constructor(timers: Timers, perSecond: number) {
    this.#timers = timers;
    this.#perSecond = perSecond;
  }

  /** Takes one; false when this second's are used up. */
  take(): boolean {
    const second = Math.floor(this.#timers.monotonic() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#left = this.#perSecond;
    }
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }
}
