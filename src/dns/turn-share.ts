import { currentTurn } from "./loop-turn.ts";
import type { Reply } from "./responder.ts";

/** Bytes of an answer that are as much work as its query is. */
const bytesPerUnit = 512;
/** How much more work it is to ask others: sockets, and their namespace to be entered. */
const forwardingUnits = 16;

/** How much work the answer to one query was: 1 for a short one of our own. */
export function workOf(reply: Reply | Promise<Reply>): number {
  if (reply instanceof Promise) return forwardingUnits;
  return 1 + Math.floor((reply?.length ?? 0) / bytesPerUnit);
}

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
  #scheduled = false;

  constructor(perTurn: number) {
    this.#perTurn = perTurn;
  }

  /** What is left in this turn; 0 or less when it is used up. */
  get left(): number {
    const turn = currentTurn();
    if (turn !== this.#turn) this.#left = this.#perTurn;
    this.#turn = turn;
    return this.#left;
  }

  /** Takes `units` of what was {@link TurnShare.left} in this turn; it may be more than that, once. */
  use(units: number): void {
    this.#left -= units;
  }

  /** Calls `goOn` once, in a later turn in which something is left. */
  wait(goOn: () => void): void {
    this.#waiting.push(goOn);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#letGoOn());
  }

  /** Those who wait anew meanwhile come behind those who are waiting still. */
  #letGoOn(): void {
    this.#scheduled = false;
    while (this.left > 0) {
      const goOn = this.#waiting.shift();
      if (goOn === undefined) return;
      goOn();
    }
    if (this.#waiting.length > 0) this.#schedule();
  }
}
