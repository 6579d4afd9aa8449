import { type HeldHandler, type HeldObject, heldRanks } from "../../src/plan/index.ts";

const ranks: Readonly<Record<string, number>> = {
  "dns-listener": heldRanks.listener,
  "host-ports": heldRanks.listener,
  "dns-view": heldRanks.view,
  "dns-forward": heldRanks.view,
  "dns-name": heldRanks.name,
};

/** Knows what a controller holds, beside the handlers that really hold it or in their place. */
export class HeldLedger {
  readonly #held = new Map<string, HeldObject>();
  /** Asked before each acquisition; what it throws is the acquisition's failure. */
  onAcquire: (object: HeldObject) => void = () => {};

  /** What is held now. */
  get all(): readonly HeldObject[] {
    return [...this.#held.values()];
  }

  /** Forgets everything: the process that held it is dead. */
  forget(): void {
    this.#held.clear();
  }

  /** Handlers that note what is held, and do what `real` does if it is given. */
  handlers(real: readonly HeldHandler[]): readonly HeldHandler[] {
    return Object.entries(ranks).map(([type, rank]) => {
      const inner = real.find((handler) => handler.type === type);
      return this.#handler(type, inner?.rank ?? rank, inner);
    });
  }

  #handler(type: string, rank: number, inner: HeldHandler | undefined): HeldHandler {
    const key = ({ id }: HeldObject) => `${type} ${id}`;
    const handler: HeldHandler = {
      type,
      rank,
      acquire: async (object) => {
        this.onAcquire(object);
        if (this.#held.has(key(object))) throw new Error(`${key(object)} is held already`);
        await inner?.acquire(object);
        this.#held.set(key(object), object);
      },
      release: async (object) => {
        if (!this.#held.delete(key(object))) throw new Error(`${key(object)} is not held`);
        await inner?.release(object);
      },
    };
    if (type === "dns-listener") return handler;
    const change: NonNullable<HeldHandler["change"]> = async (object, former) => {
      this.onAcquire(object);
      await inner?.change?.(object, former);
      this.#held.set(key(object), object);
    };
    return { ...handler, change };
  }
}
