/** How a process ended, as far as its threads tell. */
export interface Exit {
  readonly waitStatus: number;
  /** Whether the first thread's end is among those told: with it a process's last ones come. */
  readonly isWhole: boolean;
}

/** Process numbers have 22 bits (PID_MAX_LIMIT, include/linux/threads.h); the lower 14 are the place. */
const placeBits = 14;
const places = 1 << placeBits;

// A place is one word, that it is written and read at once: the wait status in its lower 16 bits.
const numberShift = 16;
const wholeBit = 1 << 24;
const takenBit = 1 << 25;

/**
 * The last exits that the kernel told of, in memory that two threads share. One writes, the other looks. An exit
 * makes way for that of a process whose number is a multiple of 16,384 away.
 */
export class ExitTable {
  /** What another thread makes its own table of. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(memory = new SharedArrayBuffer(4 * places)) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  /** Writes down that thread `thread` of process `pid` has ended. The last word of a process's threads counts. */
  add(pid: number, thread: number, waitStatus: number): void {
    const place = placeOf(pid);
    const before = Atomics.load(this.#words, place);
    const key = keyOf(pid);
    const wasWhole =
      (before & ~wholeBit) >>> numberShift === key >>> numberShift && (before & wholeBit) !== 0;
    const whole = wasWhole || thread === pid ? wholeBit : 0;
    Atomics.store(this.#words, place, key | whole | (waitStatus & 0xffff));
  }

  /** Forgets what an earlier process of this number may have left. */
  forget(pid: number): void {
    Atomics.store(this.#words, placeOf(pid), 0);
  }

  /** How process `pid` ended, since it was forgotten. */
  find(pid: number): Exit | undefined {
    const word = Atomics.load(this.#words, placeOf(pid));
    if ((word & ~wholeBit) >>> numberShift !== keyOf(pid) >>> numberShift) return undefined;
    return { waitStatus: word & 0xffff, isWhole: (word & wholeBit) !== 0 };
  }
}

function placeOf(pid: number): number {
  return pid & (places - 1);
}

/** What tells processes of one place apart. */
function keyOf(pid: number): number {
  return takenBit | ((pid >>> placeBits) << numberShift);
}
