/** A logical clock (Lamport): what happened because of something has a later time than that. */
export class LamportClock {
  #time = 0;

  get time(): number {
    return this.#time;
  }

  /** Moves on by one; gives the new time. */
  tick(): number {
    this.#time++;
    return this.#time;
  }

  /** Somebody was at `time`: this clock is behind that no more. Absurd times are left alone. */
  witness(time: number): void {
    if (time >= this.#time && time - this.#time <= maxJump) this.#time = time + 1;
  }
}

/** How far one message may move a clock: more would use up the numbers, and no honest peer is so far ahead. */
const maxJump = 2 ** 40;
