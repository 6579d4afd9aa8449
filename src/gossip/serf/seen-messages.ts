/** How far back messages are remembered, in logical time (Serf's EventBuffer and QueryBuffer). */
const bufferTimes = 512;
/** Different messages of one logical time that are remembered. */
const maxOfOneTime = 512;

/** Which events or queries were heard already: each comes many times, by many ways. */
export class SeenMessages {
  readonly #byTime = new Map<number, Set<string>>();

  /** True the first time, with `now` the logical time of this node; false for what is older than the memory. */
  isNew(time: number, key: string, now: number): boolean {
    if (time + bufferTimes < now) return false;
    const seen = this.#byTime.get(time) ?? new Set();
    if (seen.has(key) || seen.size >= maxOfOneTime) return false;
    seen.add(key);
    this.#byTime.set(time, seen);
    if (this.#byTime.size > bufferTimes) this.#forget(now);
    return true;
  }

  #forget(now: number): void {
    for (const time of this.#byTime.keys()) if (time + bufferTimes < now) this.#byTime.delete(time);
    for (const time of this.#byTime.keys()) {
      if (this.#byTime.size <= bufferTimes) break;
      this.#byTime.delete(time);
    }
  }
}
