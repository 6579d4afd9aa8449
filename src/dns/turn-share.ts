import { currentTurn } from "./loop-turn.ts";

/**
 * How much may be done for one sandbox in a turn of the event loop, so that one that floods its resolver
 * keeps others waiting for no longer than that. Who finds nothing left may wait for a later turn: those
 * who have waited longest go on first.
 */
export class TurnShare {
  readonly #perTurn: number;
  readonly #waiting: (() => void)[] = [];
  #turn = -1;
  #left = 0;

  constructor(perTurn: number) {
    this.#perTurn = perTurn;
  }

  /** What is left in this turn. */
  get left(): number {
    const turn = currentTurn();
    if (turn !== this.#turn) this.#left = this.#perTurn;
    this.#turn = turn;
    return this.#left;
  }

  /** Takes `count` of what was {@link TurnShare.left} in this turn. */
  use(count: number): void {
    this.#left -= count;
  }

  /** Calls `goOn` once, in a later turn in which something is left. */
  wait(goOn: () => void): void {
    this.#waiting.push(goOn);
    if (this.#waiting.length === 1) this.#scheduleNext();
  }

  #scheduleNext(): void {
    setImmediate(() => this.#letGoOn());
  }

  /** Those who wait anew meanwhile come behind those who are waiting still. */
  #letGoOn(): void {
    while (this.left > 0) {
      const goOn = this.#waiting.shift();
      if (goOn === undefined) return;
      goOn();
    }
    if (this.#waiting.length > 0) this.#scheduleNext();
  }
}
