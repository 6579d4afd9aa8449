import type { Effect } from "../effects.ts";
import type { EffectOutcome, Found, Kernel, KernelQuery, Operation, Outcome } from "../kernel.ts";
import { isKernelError, type KernelError } from "../kernel-error.ts";
import { hostNetns, type NetnsRef } from "../netns-ref.ts";
import {
  alsoProvides,
  containersOf,
  type Identity,
  identityOf,
  type KernelObject,
  type LinkObject,
  linkIdentity,
} from "../objects.ts";
import { refusalOf } from "./refusals.ts";

/** Where the twin is asked to refuse: see {@link MemoryKernel.onOperation}. */
export type OperationHook = (operation: Operation) => KernelError | undefined;

const acceptRedirects = "net/ipv4/conf/all/accept_redirects";

/** What Linux begins with, where that is not 0. */
const initialSysctls: ReadonlyMap<string, string> = new Map([[acceptRedirects, "1"]]);

/**
 * The kernel's twin in memory: it knows identities, what lives in what, and refusals, but no packets.
 * Scenarios about state run on it and on Linux and must agree.
 */
export class MemoryKernel implements Kernel {
  readonly #found = new Map<Identity, Found>();
  /** Effects that were run, in their order. */
  readonly effects: Effect[] = [];
  /** Operations that were carried out, in their order. */
  readonly operations: Operation[] = [];
  /** Asked before each operation; what it gives is the operation's refusal. For tests. */
  onOperation: OperationHook = () => undefined;

  /** Puts objects there as if somebody else had made or changed them. What carries weft's mark keeps it. */
  addForeign(objects: readonly KernelObject[]): void {
    for (const object of objects) {
      const identity = identityOf(object);
      this.#hold({ object, marked: this.#found.get(identity)?.marked ?? false });
    }
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
    const lookUp = new Set(query.lookUp.map(identityOf));
    const found = this.all().flatMap(({ object, marked }): Found[] => {
      const own = isInOwnFolder(query, object);
      const asked =
        own ||
        lookUp.has(identityOf(object)) ||
        (object.kind !== "file" && object.kind !== "sysctl" && query.namespaces.includes(object.netns));
      return asked ? [{ object, marked: isPlace(object) ? own : marked }] : [];
    });
    return [...found, ...this.#untouchedSysctls(query)];
  }

  async apply(operations: readonly Operation[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    while (outcomes.length < operations.length) {
      const rest = operations.slice(outcomes.length);
      const failed = outcomes.some((outcome) => outcome !== undefined);
      outcomes.push(...(failed ? rest.map((): Outcome => "skipped") : this.#applyRun(nextRun(rest))));
    }
    return outcomes;
  }

  /** Carries out a transaction of nftables, or one operation of another sort. */
  #applyRun(run: readonly Operation[]): readonly Outcome[] {
    const before = run.length > 1 ? new Map(this.#found) : this.#found;
    const outcomes: Outcome[] = [];
    let refusal: KernelError | undefined;
    for (const operation of run) {
      refusal ??= this.onOperation(operation) ?? this.#applyOne(operation);
      if (refusal === undefined) outcomes.push(undefined);
    }
    const done = run.slice(0, outcomes.length);
    // Where something to be deleted may be what is not there, Linux tries them one by one.
    const each = isKernelError(refusal, "ENOENT") && run.some(({ op }) => op === "delete");
    if (refusal === undefined || each || run.length === 1) {
      this.operations.push(...done);
      if (refusal !== undefined) outcomes.push(refusal);
    } else {
      this.#found.clear();
      for (const [identity, found] of before) this.#found.set(identity, found);
      outcomes.splice(0, outcomes.length, refusal);
    }
    return run.map((_operation, i) => (i < outcomes.length ? outcomes[i] : "skipped"));
  }

  async run(effects: readonly Effect[]): Promise<readonly EffectOutcome[]> {
    this.effects.push(...effects);
    return effects.map(() => undefined);
  }

  close(): void {}

  #applyOne(operation: Operation): KernelError | undefined {
    const { op, object } = operation;
    const refusal = refusalOf(
      { get: (one) => this.#found.get(one), provides: (one) => this.#provides(one), all: () => this.all() },
      operation,
    );
    if (refusal !== undefined) return refusal;
    if (op === "delete") this.#delete(object);
    else this.#put(object);
    return undefined;
  }

  #put(object: KernelObject): void {
    const identity = identityOf(object);
    if (object.kind === "link" && object.spec.type === "adopted") return;
    if (object.kind === "link" && object.spec.type === "moved") {
      this.#remove(linkIdentity(hostNetns, object.spec.from));
      this.#found.set(identity, { object: { ...object, spec: { type: "adopted" } }, marked: false });
      return;
    }
    // It was there before weft, and adding it again marks nothing.
    if (object.kind === "address" && this.#found.has(identity)) return;
    if (object.kind === "nft-table") this.#remove(identity);
    this.#hold({ object, marked: this.#isMarkedWhenMade(object) });
  }

  #delete(object: KernelObject): void {
    const identity = identityOf(object);
    const there = this.#found.get(identity);
    if (there === undefined || object.kind === "sysctl") return; // a sysctl always has a value
    if (object.kind === "link") this.#deleteLink(object, there);
    else this.#remove(identity);
  }

  #deleteLink(link: LinkObject, { marked }: Found): void {
    const { spec } = link;
    if (spec.type === "moved") {
      this.#remove(identityOf(link));
      this.addForeign([{ kind: "link", netns: hostNetns, name: spec.from, spec: { type: "adopted" } }]);
    } else if (spec.type !== "adopted" && marked) {
      this.#remove(identityOf(link)); // a stranger's link of that name stays
    }
  }

  #isMarkedWhenMade(object: KernelObject): boolean {
    if (object.kind === "sysctl") return false;
    if (object.kind !== "up" && object.kind !== "port") return true;
    return this.#found.get(linkIdentity(object.netns, object.link))?.marked ?? false;
  }

  #hold(found: Found): void {
    const { object } = found;
    const before = this.#found.get(identityOf(object))?.object;
    this.#found.set(identityOf(object), found);
    if (object.kind !== "sysctl" || object.key !== "net/ipv4/ip_forward") return;
    // inet_forward_change() of net/ipv4/devinet.c: a router accepts no redirects, any other host does.
    const changed = object.value !== (before?.kind === "sysctl" ? before.value : "0");
    const redirects = {
      ...object,
      key: acceptRedirects,
      value: object.value === "0" ? "1" : "0",
      opensTraffic: undefined,
    };
    if (changed) this.#hold({ object: redirects, marked: false });
  }

  /** True when an object of that identity is there, or one that brings it along. */
  #provides(identity: Identity): boolean {
    if (this.#found.has(identity)) return true;
    return this.all().some(({ object }) => alsoProvides(object).includes(identity));
  }

  /** Every sysctl of a namespace that is there has a value, also before anybody wrote it. */
  #untouchedSysctls({ lookUp }: KernelQuery): Found[] {
    return lookUp.flatMap((object): Found[] => {
      if (object.kind !== "sysctl" || this.#found.has(identityOf(object))) return [];
      const there = containersOf(object).every((one) => this.#provides(one));
      return there
        ? [{ object: { ...object, value: initialSysctls.get(object.key) ?? "0" }, marked: false }]
        : [];
    });
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

/** The first operations that Linux carries out together: a transaction of one namespace's rule set, or just one. */
function nextRun(operations: readonly Operation[]): readonly Operation[] {
  const place = operations[0] === undefined ? undefined : ruleSetOf(operations[0]);
  if (place === undefined) return operations.slice(0, 1);
  const end = operations.findIndex((operation) => ruleSetOf(operation) !== place);
  return end < 0 ? operations : operations.slice(0, end);
}

/** The namespace whose rule set the operation is about. */
function ruleSetOf({ object }: Operation): NetnsRef | undefined {
  return object.kind === "nft-table" || object.kind === "nft-element" ? object.netns : undefined;
}

/** True for what is marked by where it lies. */
function isPlace({ kind }: KernelObject): boolean {
  return kind === "netns" || kind === "file";
}

function isInOwnFolder({ netnsFolder, fileFolder }: KernelQuery, object: KernelObject): boolean {
  const isBelow = (folder: string | undefined, path: string) =>
    folder !== undefined && path.startsWith(`${folder}/`);
  if (object.kind === "file") return isBelow(fileFolder, object.path);
  return object.kind !== "sysctl" && isBelow(netnsFolder, object.netns);
}
