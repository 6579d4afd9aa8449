import { deepEqual } from "../core/index.ts";
import type { Effect } from "../kernel/index.ts";
import {
  alsoProvides,
  compare,
  containersOf,
  type Difference,
  type Identity,
  identityOf,
  type KernelObject,
} from "../kernel/index.ts";

/**
 * Something this process holds while it lives: a socket that answers, a published name. It cannot be
 * read from the kernel and dies with the process, so "what is there" is what was acquired.
 */
export interface HeldObject {
  readonly kind: "held";
  /** Names the {@link HeldHandler} that acquires it. */
  readonly type: string;
  /** Unique within its type. */
  readonly id: string;
  /** What the handler needs to acquire it; plain data. Another value is told to the handler as a change. */
  readonly spec: unknown;
  /** Kernel objects that have to be there first. */
  readonly within: readonly Identity[];
}

/** What a plan holds. */
export type PlannedObject = KernelObject | HeldObject;

/** An object that a plan wants, with what should happen once it has come or gone. */
export interface Wanted {
  readonly object: PlannedObject;
  /** What happens once it has come or changed. */
  readonly effects?: readonly Effect[];
  /** What happens once it is gone: deleted since nobody wants it, or replaced by another value. */
  readonly effectsWhenGone?: readonly Effect[];
}

/** Who wants an object: `network:ID`, `endpoint:ID`, `sandbox:ID`. */
export type OwnerId = string;

/** The identity of a planned object. */
export function identityOfPlanned(object: PlannedObject): Identity {
  if (object.kind !== "held") return identityOf(object);
  return `held ${object.type} ${object.id}` as Identity; // no kernel identity begins with "held"
}

/** Identities besides its own that the object brings. */
export function providesOf(object: PlannedObject): readonly Identity[] {
  return object.kind === "held" ? [] : alsoProvides(object);
}

/** The object's own identity and those that come with it. */
export function identitiesWith(object: PlannedObject): readonly Identity[] {
  return [identityOfPlanned(object), ...providesOf(object)];
}

/** What has to be there before the object, and takes it along when it goes. */
export function containersOfPlanned(object: PlannedObject): readonly Identity[] {
  return object.kind === "held" ? object.within : containersOf(object);
}

/** Compares two planned objects of one identity. */
export function comparePlanned(wanted: PlannedObject, found: PlannedObject): Difference {
  if (wanted.kind === "held" || found.kind === "held") return deepEqual(wanted, found) ? "none" : "in-place";
  return compare(wanted, found);
}
