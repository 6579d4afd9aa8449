import {
  containersOf,
  type Found,
  hostNetns,
  type Identity,
  identityOf,
  type KernelObject,
  type NetnsRef,
  tableIdentity,
} from "../kernel/index.ts";
import { comparePlanned, identityOfPlanned, type PlannedObject } from "./object.ts";

/** One difference between the host and what it should hold. */
export type Drift =
  | { readonly drift: "missing"; readonly identity: Identity; readonly wanted: KernelObject }
  | {
      readonly drift: "changed";
      readonly identity: Identity;
      readonly wanted: KernelObject;
      readonly found: KernelObject;
    }
  /** It carries weft's mark and nobody wants it. */
  | { readonly drift: "left over"; readonly identity: Identity; readonly found: KernelObject };

/** What is wanted. */
export interface Wants {
  get(identity: Identity): WantedThing | undefined;
  identities(): Iterable<Identity>;
}

interface WantedThing {
  readonly object: PlannedObject;
  /** Nobody wants it any more: only what is just so, or marked, is taken for it. */
  readonly givenUp?: true;
}

/** Compares a reading of the host, made while nothing was on its way out, with what is wanted. */
export function driftOf(desired: Wants, found: readonly Found[]): readonly Drift[] {
  const there = new Map(found.map((one) => [identityOfPlanned(one.object), one]));
  const drifts: Drift[] = [];
  for (const { identity, object: wanted } of kernelObjects(desired)) {
    const is = there.get(identity);
    if (is === undefined) drifts.push({ drift: "missing", identity, wanted });
    else if (comparePlanned(wanted, is.object) !== "none")
      drifts.push({ drift: "changed", identity, wanted, found: is.object });
  }
  for (const [identity, { object, marked }] of there) {
    if (marked && desired.get(identity) === undefined && !isOthersElement(desired, object))
      drifts.push({ drift: "left over", identity, found: object });
  }
  return drifts;
}

/**
 * What of a reading concerns weft: what is wanted and there, and what is marked and nobody's. Nothing of strangers' links in
 * the place of weft's own.
 */
export function believable(desired: Pick<Wants, "get">, found: readonly Found[]): readonly KernelObject[] {
  const foreign = foreignLinks(desired, found);
  return found.flatMap(({ object, marked }) => {
    // An address, or that it is up, is the stranger's too, though weft wants the same of its own link.
    if (foreign.size > 0 && !marked && containersOf(object).some((one) => foreign.has(one))) return [];
    const identity = identityOf(object);
    const { object: wanted, givenUp = false } = desired.get(identity) ?? {};
    if (wanted === undefined || wanted.kind === "held")
      return marked && !isOthersElement(desired, object) ? [object] : [];
    if (foreign.has(identity)) return [];
    if (comparePlanned(wanted, object) === "none") return [wanted];
    return givenUp && !marked ? [] : [object];
  });
}

/** True for what is in a set that somebody added to a table of weft's, for the chain that it keeps for others. */
function isOthersElement(desired: Pick<Wants, "get">, object: KernelObject): boolean {
  if (object.kind !== "nft-element") return false;
  const table = desired.get(tableIdentity(object.netns, object.family, object.table))?.object;
  return table?.kind === "nft-table" && table.definition.sets[object.set] === undefined;
}

/** Strangers' links in the place of ours: they are not ours to change, and creating ours will say so. */
function foreignLinks(desired: Pick<Wants, "get">, found: readonly Found[]): ReadonlySet<Identity> {
  const foreign = new Set<Identity>();
  for (const { object, marked } of found) {
    if (marked || object.kind !== "link") continue;
    const identity = identityOf(object);
    const wanted = desired.get(identity)?.object;
    if (wanted?.kind === "link" && wanted.spec.type !== "adopted" && wanted.spec.type !== "moved")
      foreign.add(identity);
  }
  return foreign;
}

/** The namespaces that must be read to see everything that is wanted, in its order; the host's always. */
export function namespacesOf(desired: Wants): readonly NetnsRef[] {
  const namespaces = new Set<NetnsRef>([hostNetns]);
  for (const { object } of kernelObjects(desired)) if (object.kind !== "file") namespaces.add(object.netns);
  return [...namespaces];
}

/** What no dump gives and has to be looked up. */
export function lookUps(desired: Wants): readonly KernelObject[] {
  const found: KernelObject[] = [];
  for (const { object } of kernelObjects(desired))
    if (object.kind === "sysctl" || object.kind === "file") found.push(object);
  return found;
}

function* kernelObjects(
  desired: Wants,
): Generator<{ readonly identity: Identity; readonly object: KernelObject }> {
  for (const identity of desired.identities()) {
    const object: PlannedObject | undefined = desired.get(identity)?.object;
    if (object !== undefined && object.kind !== "held") yield { identity, object };
  }
}
