import type { Clock } from "../core/index.ts";
import type {
  Effect,
  EffectOutcome,
  Found,
  Kernel,
  KernelQuery,
  Operation,
  Outcome,
} from "../kernel/index.ts";
import { DurationCounter, type Durations } from "./durations.ts";

/** What was asked of the kernel. Every figure only grows. */
export interface KernelFigures {
  /** Batches of changes; one fails that is refused in part. */
  readonly batches: Durations;
  /** The changes in them. */
  readonly changes: number;
  /** Of these, those that the kernel refused. */
  readonly refused: number;
  /** Readings of what is there. */
  readonly readings: Durations;
  /** Effects that were run: announcements, flows forgotten. */
  readonly effects: number;
}

/** A kernel that counts what is asked of it. */
export class CountedKernel implements Kernel {
  readonly #kernel: Kernel;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #batches = new DurationCounter();
  readonly #readings = new DurationCounter();
  #changes = 0;
  #refused = 0;
  #effects = 0;

  constructor(kernel: Kernel, clock: Pick<Clock, "monotonic">) {
    this.#kernel = kernel;
    this.#clock = clock;
  }

  get figures(): KernelFigures {
    return {
      batches: this.#batches.figures,
      changes: this.#changes,
      refused: this.#refused,
      readings: this.#readings.figures,
      effects: this.#effects,
    };
  }

  read(query: KernelQuery): Promise<readonly Found[]> {
    return this.#timed(this.#readings, () => this.#kernel.read(query));
  }

  apply(operations: readonly Operation[]): Promise<readonly Outcome[]> {
    this.#changes += operations.length;
    const isWhole = (outcomes: readonly Outcome[]) => {
      const refused = outcomes.filter((outcome) => outcome !== undefined && outcome !== "skipped").length;
      this.#refused += refused;
      return refused === 0;
    };
    return this.#timed(this.#batches, () => this.#kernel.apply(operations), isWhole);
  }

  run(effects: readonly Effect[]): Promise<readonly EffectOutcome[]> {
    this.#effects += effects.length;
    return this.#kernel.run(effects);
  }

  close(): void {
    this.#kernel.close();
  }

  async #timed<T>(
    counter: DurationCounter,
    work: () => Promise<T>,
    isWhole: (result: T) => boolean = () => true,
  ): Promise<T> {
    const began = this.#clock.monotonic();
    let whole = false;
    try {
      const result = await work();
      whole = isWhole(result);
      return result;
    } finally {
      counter.add(this.#clock.monotonic() - began, !whole);
    }
  }
}
