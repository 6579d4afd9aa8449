import { messageOf, WeftError } from "../core/index.ts";
import {
  containersOf,
  type Identity,
  type Kernel,
  type KernelObject,
  netnsIdentityOf,
  type Operation,
  type Outcome,
} from "../kernel/index.ts";

/** Objects on their way out: already withdrawn and forgotten, but still in the kernel for some ms. */
interface Removal {
  readonly object: KernelObject;
  readonly identity: Identity;
  readonly done: (error: unknown) => void;
}

/**
 * Deletes objects in the background. What arrives while a round of deletions waits for the kernel goes
 * together into the next one, for twenty links cost the kernel's wait that one does.
 */
export class Removals {
  readonly #kernel: Kernel;
  readonly #rankOf: (object: KernelObject) => number;
  readonly #pending = new Map<Identity, Promise<unknown>>();
  #queue: Removal[] = [];
  #round: Promise<void> | undefined;

  constructor(kernel: Kernel, rankOf: (object: KernelObject) => number) {
    this.#kernel = kernel;
    this.#rankOf = rankOf;
  }

  /** Deletes the objects soon. Resolves with the errors, none when all are gone. */
  async remove(
    objects: readonly { readonly object: KernelObject; readonly identities: readonly Identity[] }[],
  ): Promise<unknown[]> {
    if (objects.length === 0) return [];
    const errors: unknown[] = [];
    const waits = objects.map(({ object, identities }) => {
      const [identity] = identities;
      if (identity === undefined) return Promise.resolve();
      const gone = new Promise<void>((resolve) => {
        this.#queue.push({
          object,
          identity,
          done: (error) => {
            if (error !== undefined) errors.push(error);
            for (const one of identities) if (this.#pending.get(one) === gone) this.#pending.delete(one);
            resolve();
          },
        });
      });
      for (const one of identities) this.#pending.set(one, gone);
      return gone;
    });
    this.#round ??= this.#runRounds();
    await Promise.all(waits);
    return errors;
  }

  /** Resolves when none of `identities` is on its way out any more; undefined when none is now. */
  waitFor(identities: Iterable<Identity>): Promise<unknown> | undefined {
    if (this.#pending.size === 0) return undefined;
    const waits = new Set<Promise<unknown>>();
    for (const identity of identities) {
      const pending = this.#pending.get(identity);
      if (pending !== undefined) waits.add(pending);
    }
    return waits.size === 0 ? undefined : Promise.all(waits);
  }

  /** Resolves when nothing is on its way out. */
  async idle(): Promise<void> {
    while (this.#round !== undefined) await this.#round;
  }

  async #runRounds(): Promise<void> {
    // One turn of the event loop, so that what is removed together comes into one round.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const round = this.#queue.sort((a, b) => this.#rankOf(b.object) - this.#rankOf(a.object));
      this.#queue = [];
      await this.#runRound(round);
    }
    this.#round = undefined;
  }

  async #runRound(round: readonly Removal[]): Promise<void> {
    let rest = round;
    while (rest.length > 0) {
      const operations = rest.map(({ object }): Operation => ({ op: "delete", object }));
      const outcomes = await this.#apply(operations);
      const refused = rest.filter((_removal, i) => outcomes[i] !== "skipped" && outcomes[i] !== undefined);
      const next: Removal[] = [];
      for (const [i, removal] of rest.entries()) {
        const kept = refused.find(({ object }) => keeps(object, removal.object));
        if (outcomes[i] !== "skipped") removal.done(outcomes[i]);
        else if (kept !== undefined) removal.done(stays(removal, kept));
        else next.push(removal);
      }
      if (next.length === rest.length) {
        for (const removal of next) removal.done(new Error(`not removed: ${removal.identity}`));
        return;
      }
      rest = next;
    }
  }

  async #apply(operations: readonly Operation[]): Promise<readonly (Outcome | Error)[]> {
    try {
      return await this.#kernel.apply(operations);
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(messageOf(error));
      return operations.map((_operation, i) => (i === 0 ? failure : "skipped"));
    }
  }
}

/**
 * Whether a namespace has to stay since `refused` could not be taken out of it: it would be lost with the
 * namespace, as a link that was moved there, or left in one that a runtime made, where nobody finds it again.
 */
function keeps(refused: KernelObject, namespace: KernelObject): boolean {
  if (namespace.kind !== "netns" || refused.kind === "file") return false;
  const isMoved = refused.kind === "link" && refused.spec.type === "moved";
  const isInside = containersOf(refused).includes(netnsIdentityOf(namespace.netns));
  return isInside && (isMoved || namespace.from !== undefined);
}

function stays({ identity }: Removal, kept: Removal): WeftError {
  return new WeftError("TEARDOWN", `${identity} stays, for ${kept.identity} is in it`);
}
