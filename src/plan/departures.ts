import { type Events, throwAll } from "../core/index.ts";
import type { Effect, Kernel } from "../kernel/index.ts";
import type { Belief } from "./belief.ts";
import type { Step } from "./diff.ts";
import { runEffects } from "./executor.ts";
import { effectsOfGone, type Going, stillThere } from "./going.ts";
import { identitiesWith } from "./object.ts";
import type { Removals } from "./removals.ts";

/** What a reconciler tells about its background work. */
export type ReconcilerEvent =
  | { readonly event: "effect-failed"; readonly effect: Effect; readonly error: unknown }
  | { readonly event: "removal-failed"; readonly errors: readonly unknown[] };

/** What a change left to be done. */
export interface Applied {
  /**
   * Resolves when what the change gave up is out of the kernel; rejects when some of it could not be
   * removed. That is told as an event too, so nobody has to wait for it.
   */
  readonly removed: Promise<void>;
}

/** What departures are made of. */
export interface DeparturesInit {
  readonly kernel: Kernel;
  readonly belief: Belief;
  readonly removals: Removals;
  readonly events: Events<ReconcilerEvent>;
}

/** What is on its way out of the kernel, and the effects that follow when it is gone. */
export class Departures {
  readonly #init: DeparturesInit;
  readonly #under = new Set<Promise<unknown>>();

  constructor(init: DeparturesInit) {
    this.#init = init;
  }

  /**
   * Sends deletions on their way: from here on they are not believed to be there. What of `going` is still
   * there and goes with them has its effects then. `errors` are those of what went before.
   */
  begin(deletions: readonly Step[], errors: readonly unknown[], going: Going): Applied {
    const { belief } = this.#init;
    const later = stillThere(going, belief);
    for (const { identity } of deletions) belief.remove(identity);
    const removed = this.#remove(deletions, errors, effectsOfGone(later, belief));
    // Told as an event; whoever waits for it hears of it all the same.
    const settled: Promise<unknown> = removed.catch(() => {}).then(() => this.#under.delete(settled));
    this.#under.add(settled);
    return { removed };
  }

  /** Runs effects; one that fails is told as an event, for what it belongs to is done. */
  effects(effects: readonly Effect[]): Promise<void> {
    const { kernel, events } = this.#init;
    return runEffects(kernel, effects, (effect, error) =>
      events.emit({ event: "effect-failed", effect, error }),
    );
  }

  /** Resolves when nothing is on its way out any more. */
  async idle(): Promise<void> {
    await this.#init.removals.idle();
    await Promise.all(this.#under);
  }

  async #remove(
    deletions: readonly Step[],
    earlier: readonly unknown[],
    effects: readonly Effect[],
  ): Promise<void> {
    const { removals, events } = this.#init;
    const objects = deletions.flatMap(({ object }) =>
      object.kind === "held" ? [] : [{ object, identities: identitiesWith(object) }],
    );
    const errors = [...earlier, ...(await removals.remove(objects))];
    await this.effects(effects);
    if (errors.length > 0) events.emit({ event: "removal-failed", errors });
    throwAll("remove", errors);
  }
}
