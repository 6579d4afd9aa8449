import type { Dice, Timers } from "../../../src/gossip/environment.ts";

interface Alarm {
  readonly at: number;
  readonly order: number;
  readonly task: () => void;
  isCancelled: boolean;
}

/** A clock that stands still until it is told to run, and the alarms set on it. */
export class VirtualTime implements Timers {
  #now = 0;
  #order = 0;
  /** A binary heap by time, then by the order of setting. */
  readonly #heap: Alarm[] = [];

  monotonic(): number {
    return this.#now;
  }

  after(delay: number, task: () => void): () => void {
    const alarm = { at: this.#now + Math.max(0, delay), order: this.#order++, task, isCancelled: false };
    this.#push(alarm);
    return () => {
      alarm.isCancelled = true;
    };
  }

  /** Lets `ms` pass: runs what is due in order, and after each of it the promises that it resolved. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      if (next.isCancelled) continue;
      this.#now = next.at;
      next.task();
      await settled();
    }
    this.#now = end;
  }

  #push(alarm: Alarm): void {
    const heap = this.#heap;
    heap.push(alarm);
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#swapIfEarlier(i, parent)) return;
      i = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      const child = right < heap.length && this.#isEarlier(right, left) ? right : left;
      if (child >= heap.length || !this.#swapIfEarlier(child, i)) return;
      i = child;
    }
  }

  #isEarlier(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (a === undefined || b === undefined) return false;
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #swapIfEarlier(i: number, j: number): boolean {
    if (!this.#isEarlier(i, j)) return false;
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (a !== undefined && b !== undefined) [this.#heap[i], this.#heap[j]] = [b, a];
    return true;
  }
}

/** All promises that can go on have gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Dice that fall the same for the same seed (Mulberry32, public domain). */
export class SeededDice implements Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }
}
