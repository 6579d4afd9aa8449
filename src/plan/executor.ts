import {
  type Effect,
  isKernelError,
  type Kernel,
  type KernelObject,
  type Operation,
} from "../kernel/index.ts";
import type { Belief } from "./belief.ts";
import type { Step } from "./diff.ts";
import { type HeldHandler, type HeldHandlers, handlerOf } from "./held.ts";
import { containersOfPlanned, type HeldObject } from "./object.ts";

/** What happened to the steps of a run. */
export interface RunResult {
  /** Failures, in the order of their steps. */
  readonly failures: readonly { readonly step: Step; readonly error: unknown }[];
  /** Effects of the steps that were done. */
  readonly effects: readonly Effect[];
}

/** Whether a run stops at the first failure or does what it still can. */
export type OnFailure = "stop" | "continue";

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

  /** Runs `steps`; consecutive kernel steps go to the kernel as one batch. */
  async run(steps: readonly Step[], onFailure: OnFailure): Promise<RunResult> {
    const failures: { step: Step; error: unknown }[] = [];
    const effects: Effect[] = [];
    let rest = steps;
    while (rest.length > 0 && (onFailure === "continue" || failures.length === 0)) {
      const [head] = rest;
      if (head === undefined) break;
      const count = head.object.kind === "held" ? 1 : kernelRun(rest);
      const batch = rest.slice(0, count);
      const { done, failed } =
        head.object.kind === "held" ? await this.#held(head) : await this.#batch(batch);
      for (const step of done) if (step.step !== "delete") effects.push(...step.effects);
      rest = rest.slice(done.length + failed.length);
      failures.push(...failed);
      // What lives in something that failed cannot be made either; one failure is told once.
      if (failed.length > 0) rest = this.#withoutDependents(rest, failed);
    }
    return { failures, effects };
  }

  async #held(step: Step): Promise<BatchResult> {
    if (step.object.kind !== "held") return { done: [], failed: [] };
    const handler = handlerOf(this.#handlers, step.object);
    try {
      if (step.step === "delete") await handler.release(step.object);
      else if (step.step === "create") await handler.acquire(step.object);
      else if (step.former.kind === "held") await changeHeld(handler, step.object, step.former);
    } catch (error) {
      return { done: [], failed: [{ step, error }] };
    }
    this.#believe(step);
    return { done: [step], failed: [] };
  }

  async #batch(batch: readonly Step[]): Promise<BatchResult> {
    const operations = batch.map(operationOf);
    let outcomes: Awaited<ReturnType<Kernel["apply"]>>;
    try {
      outcomes = await this.#kernel.apply(operations);
    } catch (error) {
      const [step] = batch;
      return { done: [], failed: step === undefined ? [] : [{ step, error }] };
    }
    const done: Step[] = [];
    const failed: { step: Step; error: unknown }[] = [];
    for (const [i, step] of batch.entries()) {
      const outcome = outcomes[i];
      if (outcome === "skipped") break;
      if (outcome === undefined) {
        this.#believe(step);
        done.push(step);
      } else {
        failed.push({ step, error: outcome });
      }
    }
    return { done, failed };
  }

  #believe(step: Step): void {
    if (step.step === "delete") this.#belief.remove(step.identity);
    // A rebuilt table has lost its elements.
    if (step.object.kind === "nft-table")
      for (const one of this.#belief.inside(step.identity)) this.#belief.remove(one);
    if (step.step !== "delete") this.#belief.add(step.object);
  }

  #withoutDependents(rest: readonly Step[], failed: BatchResult["failed"]): readonly Step[] {
    const missing = new Set(
      failed.filter(({ step }) => step.step !== "delete").map(({ step }) => step.identity),
    );
    return rest.filter((step) => {
      const depends = containersOfPlanned(step.object).some((one) =>
        missing.has(this.#belief.providerOf(one)),
      );
      if (depends && step.step === "create") missing.add(step.identity);
      return !depends || step.step === "delete";
    });
  }
}

async function changeHeld(handler: HeldHandler, object: HeldObject, former: HeldObject): Promise<void> {
  if (handler.change !== undefined) return handler.change(object, former);
  await handler.release(former);
  await handler.acquire(object);
}

interface BatchResult {
  readonly done: readonly Step[];
  readonly failed: readonly { readonly step: Step; readonly error: unknown }[];
}

function kernelRun(steps: readonly Step[]): number {
  const end = steps.findIndex((step) => step.object.kind === "held");
  return end < 0 ? steps.length : end;
}

function operationOf(step: Step): Operation {
  const object = step.object as KernelObject; // batches hold no held objects: kernelRun cuts before them
  return step.step === "change"
    ? { op: "change", object, former: step.former as KernelObject } // a held object never turns into a kernel's
    : { op: step.step, object };
}

/** Runs effects one after the other; a failure is told to `onError` and keeps none of the others back. */
export async function runEffects(
  kernel: Kernel,
  effects: readonly Effect[],
  onError: (effect: Effect, error: unknown) => void,
) {
  for (const effect of effects) {
    try {
      await kernel.run(effect);
    } catch (error) {
      // The link may be gone again; then nobody needs to hear of it.
      if (!isKernelError(error, "ENODEV", "ENOENT")) onError(effect, error);
    }
  }
}
