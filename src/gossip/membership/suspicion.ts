import type { Timers } from "../environment.ts";
import { type SuspicionTimes, suspicionTimeout } from "./formulas.ts";

/** What a suspicion is begun with. */
export interface SuspicionInit {
  readonly timers: Timers;
  readonly times: SuspicionTimes;
  /** Who told first; it cannot confirm itself. */
  readonly from: string;
  /** Called once when nobody objected in time, with how many confirmed. */
  readonly expired: (confirmed: number) => void;
}

/** Counts down to a suspect's death, faster with every other node that suspects it too. */
export class Suspicion {
  readonly #init: SuspicionInit;
  readonly #heardFrom = new Set<string>();
  readonly #begun: number;
  #confirmed = 0;
  #cancel: () => void;

  constructor(init: SuspicionInit) {
    this.#init = init;
    this.#begun = init.timers.monotonic();
    this.#heardFrom.add(init.from);
    this.#cancel = this.#expireIn(suspicionTimeout(init.times, 0));
  }

  /** Tells whether `from` says something new, which is worth passing on. */
  confirm(from: string): boolean {
    const { times, timers } = this.#init;
    if (this.#confirmed >= times.confirmations || this.#heardFrom.has(from)) return false;
    this.#heardFrom.add(from);
    this.#confirmed++;
    this.#cancel();
    const elapsed = timers.monotonic() - this.#begun;
    this.#cancel = this.#expireIn(Math.max(0, suspicionTimeout(times, this.#confirmed) - elapsed));
    return true;
  }

  /** The suspect lives, or is dead already. */
  cancel(): void {
    this.#cancel();
  }

  #expireIn(delay: number): () => void {
    return this.#init.timers.after(delay, () => this.#init.expired(this.#confirmed));
  }
}
