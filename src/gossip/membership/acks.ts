import type { Timers } from "../environment.ts";

/** What waits for the answer to a ping. */
export interface AckWait {
  readonly ack: (payload: Uint8Array) => void;
  readonly nack?: () => void;
  /** No ack came in time. */
  readonly expired?: () => void;
  /** No ack came yet: asks once more. */
  readonly again?: () => void;
}

/** In how many parts the time is cut after each of which is asked once more. */
const tries = 3;

/** Answers that are waited for at a time; more requests to ask others are dropped. */
const maxWaiting = 4096;

/** The pings that were sent and what became of them, by sequence number. */
export class Acks {
  readonly #timers: Timers;
  readonly #waiting = new Map<number, AckWait & { readonly cancel: () => void }>();
  #last = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get isFull(): boolean {
    return this.#waiting.size >= maxWaiting;
  }

  /** A sequence number for the next ping. */
  next(): number {
    this.#last = this.#last === 0xffffffff ? 1 : this.#last + 1;
    return this.#last;
  }

  /**
   * Waits `timeout` ms for the answer to the ping of that number. A third and two thirds of `patience` ms after it
   * was sent it is sent again: where packets are lost, that keeps most of the living from being suspected.
   */
  expect(seqNo: number, timeout: number, wait: AckWait, patience = timeout): void {
    const expiry = this.#timers.after(timeout, () => {
      this.#waiting.delete(seqNo);
      wait.expired?.();
    });
    let cancelRepeat = () => {};
    const repeat = (turn: number) => {
      if (wait.again === undefined || turn === tries) return;
      cancelRepeat = this.#timers.after(patience / tries, () => {
        wait.again?.();
        repeat(turn + 1);
      });
    };
    repeat(1);
    const cancel = () => {
      expiry();
      cancelRepeat();
    };
    this.#waiting.set(seqNo, { ...wait, cancel });
  }

  /** An ack came; one that nobody waits for is too late, or invented. */
  ack(seqNo: number, payload: Uint8Array): void {
    const wait = this.#waiting.get(seqNo);
    if (wait === undefined) return;
    this.#waiting.delete(seqNo);
    wait.cancel();
    wait.ack(payload);
  }

  nack(seqNo: number): void {
    this.#waiting.get(seqNo)?.nack?.();
  }
}
