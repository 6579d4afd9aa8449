import { type Clock, WeftError } from "../core/index.ts";
import { DurationCounter, type Durations } from "./durations.ts";

/** What callers ask for, by the names that figures have. */
export const verbs = [
  "network create",
  "network delete",
  "networks ensure",
  "endpoint create",
  "endpoint delete",
  "endpoint join",
  "endpoint leave",
  "sandbox create",
  "sandbox delete",
  "sandbox connect",
  "drift",
  "repair",
  "backup",
  "twin",
  "own records",
] as const;

/** One of {@link verbs}. */
export type Verb = (typeof verbs)[number];

/** What callers asked for and was not answered yet. Once it has ended, nothing new is begun. */
export class Operations {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #running = new Set<Promise<unknown>>();
  readonly #counters = new Map<Verb, DurationCounter>();
  #ended = false;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** How often each verb was asked for, and how long its answer took; those that never were are absent. */
  get figures(): Readonly<Partial<Record<Verb, Durations>>> {
    return Object.fromEntries([...this.#counters].map(([verb, counter]) => [verb, counter.figures]));
  }

  /** How many are under way. */
  get running(): number {
    return this.#running.size;
  }

  /** Runs `work`, and counts it when it has a verb. Throws CONTROLLER_CLOSED once {@link end} was called. */
  async run<T>(work: () => Promise<T>, verb?: Verb): Promise<T> {
    if (this.#ended) throw new WeftError("CONTROLLER_CLOSED", "the controller is closed");
    const running = verb === undefined ? work() : this.#counted(work, verb);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Begins nothing any more, and resolves when all that was begun has been answered. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.allSettled(this.#running);
  }

  async #counted<T>(work: () => Promise<T>, verb: Verb): Promise<T> {
    const began = this.#clock.monotonic();
    let failed = true;
    try {
      const result = await work();
      failed = false;
      return result;
    } finally {
      let counter = this.#counters.get(verb);
      if (counter === undefined) {
        counter = new DurationCounter();
        this.#counters.set(verb, counter);
      }
      counter.add(this.#clock.monotonic() - began, failed);
    }
  }
}
