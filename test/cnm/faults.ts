import { WeftError } from "../../src/core/index.ts";
import {
  type Found,
  type Kernel,
  KernelError,
  type KernelQuery,
  type Operation,
  type Outcome,
} from "../../src/kernel/index.ts";
import type { Store, StoreChange, StoreEntry, StoreValue, Transaction } from "../../src/store/index.ts";

/** What happens at the operation that a fault is set for. */
export type FaultKind =
  /** It is refused. */
  | "refused"
  /** It and all that follow are refused. */
  | "refused from then on"
  /** The process dies before it: nothing more is done, and nothing answered. */
  | "death before"
  /** The process dies after it, before anybody hears of it. */
  | "death after";

/** Counts operations and says which one goes wrong. */
export class Fault {
  #left = 0;
  #kind: FaultKind = "refused";
  #dead = false;
  /** True once it has struck. */
  struck = false;

  /** Sets it for the operation that is the `at`-th from now, counted from 1. */
  arm(at: number, kind: FaultKind = "refused"): void {
    this.#left = at;
    this.#kind = kind;
    this.struck = false;
    this.#dead = false;
  }

  disarm(): void {
    this.#left = 0;
    this.#dead = false;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Tells what happens at the operation that comes now. */
  next(): FaultKind | undefined {
    if (this.#left > 1) {
      this.#left--;
      return undefined;
    }
    if (this.#left !== 1) return undefined;
    if (this.#kind !== "refused from then on") this.#left = 0;
    this.struck = true;
    if (this.#kind.startsWith("death")) this.#dead = true;
    return this.#kind;
  }

  /** Says that what the process had still asked for is done. */
  die(): Promise<never> {
    this.#onDeath();
    return never();
  }

  /** Resolves when the process has died, and nothing that it asked for goes on. */
  readonly death = () =>
    new Promise<"died">((resolve) => {
      this.#onDeath = () => resolve("died");
    });
  #onDeath: () => void = () => {};
}

/** What a dead process answers. */
function never(): Promise<never> {
  return new Promise(() => {});
}

/** A kernel whose operations can go wrong one by one: those before really happen, those after do not. */
export class FaultyKernel implements Kernel {
  readonly #inner: Kernel;
  readonly #fault: Fault;

  constructor(inner: Kernel, fault: Fault) {
    this.#inner = inner;
    this.#fault = fault;
  }

  read(query: KernelQuery): Promise<readonly Found[]> {
    return this.#fault.dead ? never() : this.#inner.read(query);
  }

  async apply(operations: readonly Operation[]): Promise<readonly Outcome[]> {
    if (this.#fault.dead) return never();
    for (const [i, operation] of operations.entries()) {
      const fault = this.#fault.next();
      if (fault === undefined) continue;
      const count = fault === "death after" ? i + 1 : i;
      const done = count === 0 ? [] : await this.#inner.apply(operations.slice(0, count));
      if (fault.startsWith("death")) return this.#fault.die();
      const refusal = new KernelError({
        errno: 12, // ENOMEM
        call: "test",
        object: `${operation.op} ${operation.object.kind}`,
      });
      return [...done, refusal, ...operations.slice(i + 1).map((): Outcome => "skipped")];
    }
    return this.#inner.apply(operations);
  }

  run(effects: Parameters<Kernel["run"]>[0]): ReturnType<Kernel["run"]> {
    return this.#fault.dead ? never() : this.#inner.run(effects);
  }

  close(): void {
    this.#inner.close();
  }
}

/** A store whose transactions can go wrong one by one. */
export class FaultyStore implements Store {
  readonly #inner: Store;
  readonly #fault: Fault;

  constructor(inner: Store, fault: Fault) {
    this.#inner = inner;
    this.#fault = fault;
  }

  get revision(): number {
    return this.#inner.revision;
  }

  get(key: string): StoreValue | undefined {
    return this.#inner.get(key);
  }

  range(prefix: string): Iterable<StoreEntry> {
    return this.#inner.range(prefix);
  }

  watch(prefix: string, listener: (change: StoreChange) => void) {
    return this.#inner.watch(prefix, listener);
  }

  async transact<T>(work: (transaction: Transaction) => T): Promise<T> {
    if (this.#fault.dead) return never();
    const fault = this.#fault.next();
    if (fault === "death after") await this.#inner.transact(work);
    if (fault === "death before" || fault === "death after") return this.#fault.die();
    if (fault !== undefined) throw new WeftError("STORE", "the disk is full, says the test");
    return this.#inner.transact(work);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
