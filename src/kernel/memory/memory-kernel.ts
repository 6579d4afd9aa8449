import { contains, networkOf } from "../../core/index.ts";
import type { Effect } from "../effects.ts";
import type { Found, Kernel, KernelQuery, Operation, Outcome } from "../kernel.ts";
import { KernelError } from "../kernel-error.ts";
import { hostNetns, type NetnsRef } from "../netns-ref.ts";
import {
  alsoProvides,
  containersOf,
  type Identity,
  identityOf,
  type KernelObject,
  type RouteObject,
} from "../objects.ts";

/** Errno numbers of include/uapi/asm-generic/errno-base.h and errno.h that the twin refuses with. */
const errno = {
  ENOENT: 2,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ERANGE: 34,
  ENETUNREACH: 101,
} as const;

/** Where the twin is asked to refuse: see {@link MemoryKernel.onOperation}. */
export type OperationHook = (operation: Operation) => KernelError | undefined;

/**
 * The kernel's twin in memory: it knows identities, what lives in what, and refusals, but no packets.
 * Scenarios about state run on it and on Linux and must agree.
 */
export class MemoryKernel implements Kernel {
  readonly #found = new Map<Identity, Found>();
  /** Effects that were run, in their order. */
  readonly effects: Effect[] = [];
  /** Operations that changed something, in their order. */
  readonly operations: Operation[] = [];
  /** Asked before each operation; what it gives is the operation's refusal. For tests. */
  onOperation: OperationHook = () => undefined;

  /** Puts objects there as if somebody else had made them. */
  addForeign(objects: readonly KernelObject[]): void {
    for (const object of objects) this.#found.set(identityOf(object), { object, marked: false });
  }

  /** Takes objects away behind weft's back. */
  removeForeign(objects: readonly KernelObject[]): void {
    for (const object of objects) this.#remove(identityOf(object));
  }

  /** Everything that is there. */
  all(): readonly Found[] {
    return [...this.#found.values()];
  }

  async read(query: KernelQuery): Promise<readonly Found[]> {
    const wanted = new Set<NetnsRef>(query.namespaces);
    const lookUp = new Set(query.lookUp.map(identityOf));
    const found = this.all().filter(({ object }) => {
      if (lookUp.has(identityOf(object))) return true;
      if (object.kind === "sysctl") return false;
      if (object.kind === "file")
        return query.fileFolder !== undefined && object.path.startsWith(`${query.fileFolder}/`);
      if (query.netnsFolder !== undefined && object.netns.startsWith(`${query.netnsFolder}/`)) return true;
      return wanted.has(object.netns);
    });
    const have = new Set(found.map(({ object }) => identityOf(object)));
    for (const object of query.lookUp) {
      // Every sysctl of a namespace that is there has a value; the twin's are 0 until written.
      if (
        object.kind !== "sysctl" ||
        have.has(identityOf(object)) ||
        this.#missingContainer(object) !== undefined
      )
        continue;
      found.push({ object: { ...object, value: "0" }, marked: false });
    }
    return found;
  }

  async apply(operations: readonly Operation[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    let failed = false;
    for (const operation of operations) {
      const outcome: Outcome = failed
        ? "skipped"
        : (this.onOperation(operation) ?? this.#applyOne(operation));
      if (outcome === undefined) this.operations.push(operation);
      else failed = true;
      outcomes.push(outcome);
    }
    return outcomes;
  }

  async run(effect: Effect): Promise<void> {
    this.effects.push(effect);
  }

  close(): void {}

  #applyOne(operation: Operation): KernelError | undefined {
    const { object } = operation;
    const identity = identityOf(object);
    if (operation.op === "delete") {
      this.#remove(identity);
      return undefined;
    }
    const refusal = operation.op === "create" ? this.#whyNotCreate(object) : this.#whyNotChange(identity);
    if (refusal !== undefined) return refuse(refusal, operation);
    if (object.kind === "link" && object.spec.type === "adopted") return undefined;
    if (object.kind === "nft-table") this.#remove(identity);
    this.#found.set(identity, { object, marked: object.kind !== "sysctl" });
    return undefined;
  }

  #whyNotChange(identity: Identity): keyof typeof errno | undefined {
    return this.#found.has(identity) || identity.startsWith("sysctl ") ? undefined : "ENODEV";
  }

  #whyNotCreate(object: KernelObject): keyof typeof errno | undefined {
    const identity = identityOf(object);
    if (object.kind === "link") {
      if (object.spec.type === "adopted") return this.#found.has(identity) ? undefined : "ENODEV";
      if (Buffer.byteLength(object.name) > 15) return "ERANGE";
    }
    const names = [identity, ...alsoProvides(object)];
    const exclusive = object.kind === "link" || object.kind === "netns" || object.kind === "nft-table";
    if (exclusive && names.some((name) => this.#provided(name))) return "EEXIST";
    const missing = this.#missingContainer(object);
    if (missing !== undefined) return missing.startsWith("link") ? "ENODEV" : "ENOENT";
    if (object.kind === "route" && object.gateway !== undefined && !this.#reaches(object))
      return "ENETUNREACH";
    if (object.kind === "nft-element" && this.#holdsOtherValue(object)) return "EEXIST";
    return undefined;
  }

  #missingContainer(object: KernelObject): Identity | undefined {
    return containersOf(object).find((container) => !this.#provided(container));
  }

  /** True when an object of that identity is there, or one that brings it along. */
  #provided(identity: Identity): boolean {
    if (this.#found.has(identity)) return true;
    return this.all().some(({ object }) => alsoProvides(object).includes(identity));
  }

  /** A gateway must be on a network of one of the link's addresses. */
  #reaches({ netns, link, gateway }: RouteObject): boolean {
    return this.all().some(
      ({ object }) =>
        object.kind === "address" &&
        object.netns === netns &&
        object.link === link &&
        gateway !== undefined &&
        contains(networkOf(object.address), gateway),
    );
  }

  #holdsOtherValue(object: KernelObject): boolean {
    const there = this.#found.get(identityOf(object))?.object;
    return there !== undefined && JSON.stringify(there) !== JSON.stringify(object);
  }

  /** Removes an object and all that lives in it. */
  #remove(identity: Identity): void {
    const object = this.#found.get(identity)?.object;
    if (object === undefined) return;
    this.#found.delete(identity);
    const gone = new Set([identity, ...alsoProvides(object)]);
    for (const { object: other } of this.all()) {
      if (containersOf(other).some((container) => gone.has(container))) this.#remove(identityOf(other));
    }
  }
}

function refuse(name: keyof typeof errno, { op, object }: Operation): KernelError {
  const where = object.kind === "file" || object.netns === hostNetns ? "" : ` in ${object.netns}`;
  return new KernelError({
    errno: errno[name],
    call: `${op} ${object.kind}`,
    object: `${identityOf(object)}${where}`,
  });
}
