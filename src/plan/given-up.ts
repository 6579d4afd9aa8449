import { deepEqual } from "../core/index.ts";
import { type Effect, type Found, type Identity, identityOf, type KernelObject } from "../kernel/index.ts";
import type { Belief } from "./belief.ts";
import type { Changes, Desired } from "./desired.ts";
import type { Wants } from "./drift.ts";
import { identityOfPlanned, type PlannedObject, type Wanted } from "./object.ts";

/** What is wanted, and behind it what owners have given up, of which some may be there still. */
export function withGivenUp(desired: Wants, givenUp: readonly Changes[]): Wants {
  if (givenUp.length === 0) return desired;
  const behind = new Map<Identity, { readonly object: PlannedObject; readonly givenUp: true }>();
  for (const { object } of wantedIn(givenUp)) {
    const identity = identityOfPlanned(object);
    if (desired.get(identity) === undefined) behind.set(identity, { object, givenUp: true });
  }
  return {
    get: (identity) => desired.get(identity) ?? behind.get(identity),
    // What is wanted comes first: a namespace with two names is read under the first of them.
    identities: () => [...desired.identities(), ...behind.keys()],
  };
}

/**
 * Lets owners want again what is believed there of what they gave up, so that it can be taken down, and
 * nothing else, so that nothing comes back. Gives the effects that follow what is gone already.
 */
export function wantWhatIsLeft(
  desired: Desired,
  belief: Belief,
  givenUp: readonly Changes[],
  found: readonly Found[],
): readonly Effect[] {
  const effects: Effect[] = [];
  const nothing = givenUp.flatMap((changes) => [...changes.keys()].map((owner) => [owner, []] as const));
  desired.accept(desired.propose(new Map(nothing)));
  for (const [owner, wanted] of givenUp.flatMap((changes) => [...changes])) {
    const left: Wanted[] = [];
    for (const one of wanted) {
      const identity = identityOfPlanned(one.object);
      const others = desired.get(identity)?.object;
      const isOthers = others !== undefined && !deepEqual(others, one.object);
      if (isOthers && isMovedLink(one.object, others, found)) belief.add(one.object);
      if (isOthers || belief.get(identity) === undefined) effects.push(...(one.effectsWhenGone ?? []));
      else left.push(one);
    }
    desired.accept(desired.propose(new Map([[owner, left]])));
  }
  return effects;
}

/**
 * True when `object` is a link moved into the place where somebody wants `others` by now, and it is what
 * stands there: neither carries a mark, but each has a MAC address of its own.
 */
function isMovedLink(object: PlannedObject, others: PlannedObject, found: readonly Found[]): boolean {
  if (object.kind !== "link" || object.spec.type !== "moved" || others.kind !== "link") return false;
  const there = found.find((one) => identityOf(one.object) === identityOf(object))?.object;
  return (
    there?.kind === "link" && there.mac !== undefined && there.mac === object.mac && there.mac !== others.mac
  );
}

function* wantedIn(givenUp: readonly Changes[]): Generator<Wanted & { readonly object: KernelObject }> {
  for (const changes of givenUp)
    for (const wanted of changes.values())
      for (const { object, ...hung } of wanted) if (object.kind !== "held") yield { object, ...hung };
}
