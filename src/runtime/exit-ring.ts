/** Exits that are remembered: far more than a machine has in the time between an end and the look for it. */
const places = 4096;
/** The pid and the wait status of each, after the number of exits so far. */
const bytes = 8 + 8 * places;

/**
 * The last exits that the kernel told of, in memory that two threads share: one writes, the other looks. The oldest
 * make way for new ones.
 */
export class ExitRing {
  /** What another thread makes its own ring of. */
  readonly memory: SharedArrayBuffer;
  readonly #count: BigUint64Array;
  readonly #exits: Int32Array;

  constructor(memory = new SharedArrayBuffer(bytes)) {
    this.memory = memory;
    this.#count = new BigUint64Array(memory, 0, 1);
    this.#exits = new Int32Array(memory, 8);
  }

  /** Exits so far. */
  get count(): bigint {
    return Atomics.load(this.#count, 0);
  }

  /** Writes down that a thread of process `pid` has ended. For one thread only. */
  add(pid: number, waitStatus: number): void {
    const count = this.count;
    const at = placeOf(count);
    this.#exits[at] = pid;
    this.#exits[at + 1] = waitStatus;
    Atomics.store(this.#count, 0, count + 1n);
  }

  /** The wait status of the last exit of process `pid` after the first `since` exits of all; undefined if there is none. */
  find(pid: number, since: bigint): number | undefined {
    const end = this.count;
    const oldest = end - BigInt(places);
    for (let i = end; i > since && i > oldest; ) {
      const at = placeOf(--i);
      if (this.#exits[at] === pid) return this.#exits[at + 1];
    }
    return undefined;
  }
}

function placeOf(index: bigint): number {
  return 2 * Number(index % BigInt(places));
}
