/**
 * How far one message may move a clock. A cluster that counts a million events a second takes twelve days to
 * come so far; one message with an absurd time would otherwise leave no room for later ones.
 */
export const maxLeap = 2 ** 40;

/** A Lamport clock: counts what happens here, and never falls behind what it is shown. */
export class LamportClock {
  #time = 0;

  /** The latest time that is known, 0 before the first event. */
  get time(): number {
    return this.#time;
  }

  /** The time of a new event of this node. */
  increment(): number {
    this.#time++;
    return this.#time;
  }

  /** Takes note of the time of another's event. False, and nothing, when it is absurd. */
  witness(time: number): boolean {
    if (!Number.isSafeInteger(time) || time < 0 || time > this.#time + maxLeap) return false;
    if (time > this.#time) this.#time = time;
    return true;
  }
}
