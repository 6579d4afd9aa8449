import type { Timers } from "../environment.ts";

interface Alarm {
  readonly at: number;
  /** Alarms of one moment ring in the order in which they were set. */
  readonly turn: number;
  /** Undefined once it was cancelled. */
  task: (() => void) | undefined;
}

/** Time that passes when it is told to: thousands of nodes share one, and a minute takes as long as its work. */
export class VirtualTimers implements Timers {
  #now = 0;
  #turns = 0;
  /** A binary heap, the next alarm first. */
  #heap: Alarm[] = [];
  /** How many in the heap were cancelled. */
  #cancelled = 0;

  monotonic(): number {
    return this.#now;
  }

  after(delay: number, task: () => void): () => void {
    const alarm: Alarm = { at: this.#now + Math.max(0, delay), turn: this.#turns++, task };
    this.#add(alarm);
    return () => {
      if (alarm.task === undefined) return;
      alarm.task = undefined;
      this.#cancelled++;
      if (this.#cancelled > fewCancelled && 2 * this.#cancelled > this.#heap.length) this.#forgetCancelled();
    };
  }

  /** Lets `ms` pass, and every alarm of that time ring. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0])
      this.#ring(next);
    this.#now = until;
  }

  /** Lets time pass until `isSo`, at most `ms`, looking after each alarm. Tells whether it became so. */
  advanceUntil(isSo: () => boolean, ms: number): boolean {
    const until = this.#now + ms;
    while (!isSo()) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until) {
        this.#now = until;
        return isSo();
      }
      this.#ring(next);
    }
    return true;
  }

  #ring(alarm: Alarm): void {
    this.#removeFirst();
    this.#now = Math.max(this.#now, alarm.at);
    const { task } = alarm;
    alarm.task = undefined;
    if (task === undefined) this.#cancelled--;
    else task();
  }

  /** Most alarms are cancelled long before their time: left where they are, they would be most of the heap. */
  #forgetCancelled(): void {
    const kept = this.#heap.filter(({ task }) => task !== undefined);
    this.#heap = kept.sort((a, b) => (before(a, b) ? -1 : 1)); // in order it is a heap too
    this.#cancelled = 0;
  }

  #add(alarm: Alarm): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(alarm);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !before(alarm, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = alarm;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const moved = heap.pop();
    if (moved === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      if (left === undefined) break;
      const right = heap[2 * at + 2];
      const goRight = right !== undefined && before(right, left);
      const child = goRight ? right : left;
      if (!before(child, moved)) break;
      heap[at] = child;
      at = 2 * at + (goRight ? 2 : 1);
    }
    heap[at] = moved;
  }
}

/** So many cancelled alarms are never worth the work. */
const fewCancelled = 1024;

function before(a: Alarm, b: Alarm): boolean {
  return a.at < b.at || (a.at === b.at && a.turn < b.turn);
}
