import { setTimeout as delay } from "node:timers/promises";
import type { ForgetFlowsEffect } from "../effects.ts";
import type { EffectOutcome } from "../kernel.ts";

/** Rests between rounds are so many times as long as the round before took. */
const restShare = 9;
const longestRestMs = 250;

/**
 * Forgets flows in rounds: to find them the kernel looks through its whole table, some 10 ms in which the
 * processor does nothing else. Who asks while a round is under way, or shortly after one, shares the next; so
 * this takes a tenth of one processor at most, however much comes and goes at a time.
 */
export class FlowRounds {
  readonly #forget: (effects: readonly ForgetFlowsEffect[]) => Promise<readonly EffectOutcome[]>;
  #waiting: ForgetFlowsEffect[] = [];
  /** The round that those who wait are in. */
  #next: Promise<ReadonlyMap<ForgetFlowsEffect, EffectOutcome>> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** No round begins before, ms as performance.now() counts. */
  #restsUntil = 0;

  /** `forget` gives an outcome for each effect, in their order; what it rejects with goes to all who wait. */
  constructor(forget: (effects: readonly ForgetFlowsEffect[]) => Promise<readonly EffectOutcome[]>) {
    this.#forget = forget;
  }

  /** Resolves with an outcome for each effect once a round that begins after this call has ended. */
  async forget(effects: readonly ForgetFlowsEffect[]): Promise<readonly EffectOutcome[]> {
    if (effects.length === 0) return [];
    this.#waiting.push(...effects);
    this.#next ??= this.#round();
    const outcomes = await this.#next;
    return effects.map((effect) => outcomes.get(effect));
  }

  async #round(): Promise<ReadonlyMap<ForgetFlowsEffect, EffectOutcome>> {
    await this.#last;
    const rest = this.#restsUntil - performance.now();
    if (rest > 0) await delay(rest);
    const effects = this.#waiting;
    this.#waiting = [];
    this.#next = undefined;
    const start = performance.now();
    const round = this.#forget(effects);
    this.#last = round.catch(() => {}); // those who wait for it hear of it
    const outcomes = await round;
    const end = performance.now();
    this.#restsUntil = end + Math.min((end - start) * restShare, longestRestMs);
    return new Map(effects.map((effect, i) => [effect, outcomes[i]]));
  }
}
