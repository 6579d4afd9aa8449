import { WeftError } from "../core/index.ts";
import {
  type Effect,
  type Identity,
  isKernelError,
  type Kernel,
  type KernelError,
  type KernelObject,
  type Operation,
  type Outcome,
} from "../kernel/index.ts";
import type { Belief } from "./belief.ts";
import type { Step } from "./diff.ts";
import { type HeldHandlers, handlerOf } from "./held.ts";
import { containersOfPlanned, type HeldObject, identityOfPlanned, providesOf } from "./object.ts";

/** A step and why it was not done. */
export interface Failure {
  readonly step: Step;
  readonly error: unknown;
}

/** What happened to the steps of a run. */
export interface RunResult {
  /** Failures, in the order of their steps. What failed only because it lives in one of them is not told. */
  readonly failures: readonly Failure[];
  /** Effects of the steps that were done. */
  readonly effects: readonly Effect[];
  /** The kernel broke off without telling what it did: what is believed may be wrong. */
  readonly unsure: boolean;
}

/** Whether a run stops at the first failure or does what it still can. */
export type OnFailure = "stop" | "continue";

interface BatchResult {
  readonly done: readonly Step[];
  readonly failed: readonly Failure[];
  /** What was not tried, or undone with another step's refusal. */
  readonly skipped: readonly Step[];
  readonly unsure?: boolean;
}

const nothingDone: BatchResult = { done: [], failed: [], skipped: [] };

/** Carries out steps in their order and keeps the belief true to what was done. */
export class Executor {
  readonly #kernel: Kernel;
  readonly #handlers: HeldHandlers;
  readonly #belief: Belief;

  constructor(kernel: Kernel, handlers: HeldHandlers, belief: Belief) {
    this.#kernel = kernel;
    this.#handlers = handlers;
    this.#belief = belief;
  }

  /** Runs `steps`; consecutive kernel steps go to the kernel as one batch, see {@link HeldHandler.alongside}. */
  async run(steps: readonly Step[], onFailure: OnFailure): Promise<RunResult> {
    const failures: Failure[] = [];
    const effects: Effect[] = [];
    const missing = new Set<Identity>();
    let unsure = false;
    let alone = 0;
    let rest = steps;
    let at = 0;
    while (at < rest.length && (onFailure === "continue" || failures.length === 0)) {
      const batch = rest.slice(at, alone > 0 ? at + 1 : this.#batchEnd(rest, at));
      const result = await this.#batch(batch);
      at += batch.length;
      unsure ||= result.unsure === true;
      for (const step of result.done) if (step.step !== "delete") effects.push(...step.effects);
      alone = Math.max(0, alone - batch.length);
      if (onFailure === "continue" && result.unsure && batch.length > 1) {
        // Nobody knows what of it broke the kernel off: who goes on tries one at a time.
        const again = batch.filter((step) => !result.done.includes(step));
        alone = again.length;
        rest = [...again, ...rest.slice(at)];
        at = 0;
        continue;
      }
      failures.push(...result.failed);
      if (result.skipped.length + result.failed.length === 0) continue;
      rest = [...result.skipped, ...rest.slice(at)];
      at = 0;
      if (result.failed.length > 0) rest = this.#withoutDependents(rest, result.failed, missing);
    }
    return { failures, effects, unsure };
  }

  /**
   * Where those end that go together, of the steps from `at` on: before the next held object, which goes alone or, with
   * others of its rank, begins them.
   */
  #batchEnd(steps: readonly Step[], at: number): number {
    let end = at;
    const rank = this.#rankAlongside(steps[at]);
    if (rank !== undefined) while (this.#rankAlongside(steps[end]) === rank) end++;
    for (let step = steps[end]; step !== undefined && step.object.kind !== "held"; step = steps[end]) end++;
    return Math.max(at + 1, end);
  }

  /** The rank of what is taken hold of while others are, see {@link HeldHandler.alongside}; undefined of all else. */
  #rankAlongside(step: Step | undefined): number | undefined {
    if (step?.step !== "create" || step.object.kind !== "held") return undefined;
    const handler = this.#handlers.get(step.object.type);
    return handler?.alongside === true ? handler.rank : undefined;
  }

  async #batch(batch: readonly Step[]): Promise<BatchResult> {
    const forKernel = batch.filter(({ object }) => object.kind !== "held");
    if (forKernel.length === batch.length) return this.#kernelBatch(batch);
    const holding = batch.flatMap((step) =>
      step.object.kind === "held" ? [this.#held(step, step.object)] : [],
    );
    const kernel = forKernel.length === 0 ? nothingDone : await this.#afterFirstWait(holding, forKernel);
    const held = await Promise.all(holding);
    return {
      done: [...held.flatMap(({ done }) => done), ...kernel.done],
      failed: [...held.flatMap(({ failed }) => failed), ...kernel.failed],
      skipped: kernel.skipped,
      unsure: kernel.unsure === true,
    };
  }

  /** Sends a batch to the kernel once what goes on alongside waits for others; not at all when that has failed by then. */
  async #afterFirstWait(
    holding: readonly Promise<BatchResult>[],
    batch: readonly Step[],
  ): Promise<BatchResult> {
    let failed = false;
    for (const one of holding) void one.then((result) => (failed ||= result.failed.length > 0));
    // A turn of the event loop: the kernel keeps this thread, and others are to work meanwhile.
    await new Promise<void>((resolve) => setImmediate(resolve));
    return failed ? { ...nothingDone, skipped: batch } : this.#kernelBatch(batch);
  }

  async #held(step: Step, object: HeldObject): Promise<BatchResult> {
    try {
      const handler = handlerOf(this.#handlers, object);
      if (step.step === "delete") await handler.release(object);
      else if (step.step === "create") await handler.acquire(object);
      else await this.#changeHeld(object, step.former);
    } catch (error) {
      return { done: [], failed: [{ step, error }], skipped: [] };
    }
    this.#believe(step);
    return { done: [step], failed: [], skipped: [] };
  }

  async #changeHeld(object: HeldObject, former: Step["object"]): Promise<void> {
    const handler = handlerOf(this.#handlers, object);
    if (former.kind !== "held") return;
    if (handler.change !== undefined) return handler.change(object, former);
    await handler.release(former);
    this.#belief.remove(identityOfPlanned(former)); // should the next fail, nothing is held
    await handler.acquire(object);
  }

  async #kernelBatch(batch: readonly Step[]): Promise<BatchResult> {
    const [first] = batch;
    if (first === undefined) return nothingDone;
    let outcomes: Awaited<ReturnType<Kernel["apply"]>>;
    try {
      outcomes = await this.#kernel.apply(batch.map(operationOf));
    } catch (error) {
      return { done: [], failed: [{ step: first, error }], skipped: batch.slice(1), unsure: true };
    }
    if (outcomes.every((outcome) => outcome === undefined)) {
      for (const step of batch) this.#believe(step);
      return { ...nothingDone, done: batch };
    }
    const done: Step[] = [];
    const failed: Failure[] = [];
    const skipped: Step[] = [];
    const refused = new Set(
      batch.filter((_step, i) => isRefusal(outcomes[i])).map(({ identity }) => identity),
    );
    for (const [i, step] of batch.entries()) {
      const outcome = outcomes[i];
      // What lives in something that was refused with it may be right as soon as it comes without.
      const depends = containersOfPlanned(step.object).some((one) => refused.has(one));
      if (outcome === "skipped" || (isRefusal(outcome) && depends)) {
        skipped.push(step);
      } else if (outcome === undefined || isNothingToRestore(step, outcome)) {
        this.#believe(step);
        done.push(step);
      } else {
        failed.push({ step, error: outcome });
      }
    }
    if (done.length + failed.length > 0) return { done, failed, skipped };
    const error = new WeftError("INTERNAL", `the kernel skipped ${first.step} of ${first.identity}`);
    return { done, failed: [{ step: first, error }], skipped: skipped.slice(1) };
  }

  #believe(step: Step): void {
    if (step.step === "delete") {
      this.#belief.remove(step.identity);
      return;
    }
    // A rebuilt table has lost its elements.
    if (step.object.kind === "nft-table") this.#belief.remove(step.identity);
    this.#belief.add(step.object);
  }

  /** What lives in something that could not be made cannot be made either; one failure is told once. */
  #withoutDependents(
    rest: readonly Step[],
    failed: readonly Failure[],
    missing: Set<Identity>,
  ): readonly Step[] {
    const miss = (step: Step) => {
      if (step.step === "create")
        for (const one of [step.identity, ...providesOf(step.object)]) missing.add(one);
    };
    for (const { step } of failed) miss(step);
    return rest.filter((step) => {
      const depends = containersOfPlanned(step.object).some((one) => missing.has(one));
      if (depends) miss(step);
      return !depends || step.step === "delete";
    });
  }
}

function isRefusal(outcome: Outcome): outcome is KernelError {
  return outcome !== undefined && outcome !== "skipped";
}

function isNothingToRestore(step: Step, refusal: unknown): boolean {
  return step.step === "change" && step.restores === true && isKernelError(refusal, "ENOENT", "ENODEV");
}

function operationOf(step: Step): Operation {
  const object = step.object as KernelObject; // the held ones of a batch go their own way
  return step.step === "change"
    ? { op: "change", object, former: step.former as KernelObject } // a held object never turns into a kernel's
    : { op: step.step, object };
}

/** Runs effects together; a failure is told to `onError` and keeps none of the others back. */
export async function runEffects(
  kernel: Kernel,
  effects: readonly Effect[],
  onError: (effect: Effect, error: unknown) => void,
): Promise<void> {
  if (effects.length === 0) return;
  let outcomes: readonly unknown[];
  try {
    outcomes = await kernel.run(effects);
  } catch (error) {
    outcomes = effects.map(() => error);
  }
  for (const [i, effect] of effects.entries()) {
    const error = outcomes[i];
    // The link may be gone again; then nobody needs to hear of it.
    if (error !== undefined && !isKernelError(error, "ENODEV", "ENOENT")) onError(effect, error);
  }
}
