import { type Effect, type Identity, takenAlongBy } from "../kernel/index.ts";
import type { Belief } from "./belief.ts";
import { comparePlanned, type PlannedObject } from "./object.ts";
import type { RankOf } from "./rank.ts";

/** One thing to do, in the order in which a plan does it. */
export type Step =
  | {
      readonly step: "create";
      readonly identity: Identity;
      readonly object: PlannedObject;
      readonly effects: readonly Effect[];
    }
  | {
      readonly step: "change";
      readonly identity: Identity;
      readonly object: PlannedObject;
      readonly former: PlannedObject;
      readonly effects: readonly Effect[];
    }
  | { readonly step: "delete"; readonly identity: Identity; readonly object: PlannedObject };

/** What is to be done about some identities. */
export interface StepList {
  /** Deletions, from the highest rank down. What goes along with its container is not among them. */
  readonly deletions: readonly Step[];
  /** Identities that go along with a deleted container. */
  readonly implied: ReadonlySet<Identity>;
  /** Creations and changes, from the lowest rank up. */
  readonly creations: readonly Step[];
}

/** What is wanted of an identity, with the effects of its coming. */
export type WantedOf = (
  identity: Identity,
) => { readonly object: PlannedObject; readonly effects: readonly Effect[] } | undefined;

/**
 * Compares what is wanted of `identities` with what is there. Where an object has to be made anew, all
 * that lives in it is made anew too, whoever wants it.
 */
export function diff(
  identities: Iterable<Identity>,
  wantedOf: WantedOf,
  belief: Belief,
  rankOf: RankOf,
): StepList {
  const deletions = new Map<Identity, Step>();
  const creations = new Map<Identity, Step>();
  const lost = new Set<Identity>();
  const queue = [...new Set(identities)];

  const lose = (identity: Identity) => {
    for (const child of belief.inside(identity)) {
      if (lost.has(child)) continue;
      lost.add(child);
      queue.push(child);
    }
  };

  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const identity = next;
    const wanted = wantedOf(identity);
    const found = belief.get(identity);
    if (wanted === undefined) {
      if (found === undefined) continue;
      deletions.set(identity, { step: "delete", identity, object: found });
      lose(identity);
    } else if (found === undefined || lost.has(identity)) {
      creations.set(identity, { step: "create", identity, ...pick(wanted) });
      // A held object outlives what it is within; it is given back before it is acquired anew.
      if (found?.kind === "held") deletions.set(identity, { step: "delete", identity, object: found });
    } else {
      const difference = comparePlanned(wanted.object, found);
      if (difference === "none") continue;
      if (difference === "recreate") deletions.set(identity, { step: "delete", identity, object: found });
      if (difference !== "in-place") lose(identity);
      creations.set(
        identity,
        difference === "recreate"
          ? { step: "create", identity, ...pick(wanted) }
          : { step: "change", identity, ...pick(wanted), former: found },
      );
    }
  }

  const gone = new Set([...deletions.keys(), ...lost]);
  const implied = new Set<Identity>();
  for (const [identity, { object }] of deletions) {
    if (object.kind === "held") continue;
    if (takenAlongBy(object).some((container) => gone.has(belief.providerOf(container))))
      implied.add(identity);
  }
  const byRank = (a: Step, b: Step) => rankOf(a.object) - rankOf(b.object);
  return {
    deletions: [...deletions.values()]
      .filter(({ identity }) => !implied.has(identity))
      .sort((a, b) => byRank(b, a)),
    implied,
    creations: [...creations.values()].sort(byRank),
  };
}

function pick<T extends { readonly object: PlannedObject; readonly effects: readonly Effect[] }>(wanted: T) {
  return { object: wanted.object, effects: wanted.effects };
}
