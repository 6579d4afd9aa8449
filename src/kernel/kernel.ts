import type { Effect } from "./effects.ts";
import type { KernelError } from "./kernel-error.ts";
import type { NetnsRef } from "./netns-ref.ts";
import type { KernelObject } from "./objects.ts";

/** One change to the host. */
export type Operation =
  | { readonly op: "create"; readonly object: KernelObject }
  /** The object is there with another value that can be changed in place. */
  | { readonly op: "change"; readonly object: KernelObject; readonly former: KernelObject }
  /** `object` is what is believed to be there; that it is not is no error. */
  | { readonly op: "delete"; readonly object: KernelObject };

/** How an operation ended: undefined when it was done, the refusal, or "skipped" since an earlier one failed. */
export type Outcome = KernelError | "skipped" | undefined;

/** How an effect ended: undefined when it ran. */
export type EffectOutcome = Error | undefined;

/** Where {@link Kernel.read} looks. */
export interface KernelQuery {
  /** Namespaces to read whole; those that are not there are left out of the snapshot. */
  readonly namespaces: readonly NetnsRef[];
  /** Of these, those that nobody wants any more: the bare file of one, as a crash leaves it, is told as one. */
  readonly givenUp?: ReadonlySet<NetnsRef> | undefined;
  /** The folder of weft's namespaces and the one of its files: what lies there is weft's. */
  readonly netnsFolder?: string | undefined;
  readonly fileFolder?: string | undefined;
  /** Read only the host's rule set: its tables of weft's, and rules of weft's in others' chains. */
  readonly only?: "rules" | undefined;
  /** Objects that no dump gives: sysctls and adopted links to look up one by one. */
  readonly lookUp: readonly KernelObject[];
}

/** An object as it was found. */
export interface Found {
  readonly object: KernelObject;
  /** It carries weft's mark, or lies where only weft puts things: if nobody wants it, it is a leftover. */
  readonly marked: boolean;
}

/**
 * The host, as far as weft changes it: reads and writes objects, runs effects. It knows no owners, no
 * order and no policy; the reconciler does. There are two: Linux by netlink, and a twin in memory.
 */
export interface Kernel {
  /** What is there. Throws KernelError. */
  read(query: KernelQuery): Promise<readonly Found[]>;
  /**
   * Carries out `operations` in their order, batched where the kernel has batches, and gives the outcome
   * of each. After a failed one the later ones are skipped, except those the kernel had been given already.
   * Neighbouring operations on one namespace's rule set are a transaction: where any is refused, each that
   * is has its refusal and all others are skipped, the earlier ones too.
   */
  apply(operations: readonly Operation[]): Promise<readonly Outcome[]>;
  /**
   * Runs effects, each although others fail, and gives the failure of each, undefined where it ran. Those
   * that ask the same of the kernel share the asking.
   */
  run(effects: readonly Effect[]): Promise<readonly EffectOutcome[]>;
  /** Lets go of sockets. */
  close(): void;
}
