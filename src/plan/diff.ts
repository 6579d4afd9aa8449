import {
  type Effect,
  type Identity,
  type KernelObject,
  linkIdentity,
  takenAlongBy,
  takesAlong,
} from "../kernel/index.ts";
import type { Belief } from "./belief.ts";
import { comparePlanned, containersOfPlanned, type PlannedObject } from "./object.ts";
import type { Ranks } from "./rank.ts";

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
      /** It puts back what stood there before weft; where that is gone, there is nothing to put back. */
      readonly restores?: true;
    }
  | { readonly step: "delete"; readonly identity: Identity; readonly object: PlannedObject };

/** What is to be done about some identities. */
export interface StepList {
  /** Deletions, from the highest rank down. What goes along with its container is not among them. */
  readonly deletions: readonly Step[];
  /** Deletions left out, for what they delete goes along with a container that is deleted or rebuilt. */
  readonly implied: ReadonlySet<Identity>;
  /** Creations and changes, from the lowest rank up. */
  readonly creations: readonly Step[];
}

/** What is wanted of one identity. */
interface WantedObject {
  readonly object: PlannedObject;
  readonly effects: readonly Effect[];
}

/** What is wanted of an identity, with the effects of its coming. */
export type WantedOf = (identity: Identity) => WantedObject | undefined;

/**
 * Compares what is wanted of `identities` with what is there. Where an object has to be made anew, all
 * that lives in it is made anew too, whoever wants it.
 */
export function diff(
  identities: Iterable<Identity>,
  wantedOf: WantedOf,
  belief: Belief,
  ranks: Ranks,
): StepList {
  const comparison = new Comparison(wantedOf, belief);
  comparison.run(identities);
  const { deletions, creations } = comparison;
  const implied = comparison.implied();
  return {
    deletions: byRank(
      [...deletions.values()].filter(({ identity }) => !implied.has(identity)),
      (object) => -ranks.deletion(object),
    ),
    implied,
    creations: byRank([...creations.values()], ranks.creation),
  };
}

/** Steps from the lowest rank up, those of one rank in the order in which they came; there are few ranks. */
function byRank(steps: readonly Step[], rankOf: (object: PlannedObject) => number): readonly Step[] {
  const ranked = new Map<number, Step[]>();
  for (const step of steps) {
    const rank = rankOf(step.object);
    const same = ranked.get(rank);
    if (same === undefined) ranked.set(rank, [step]);
    else same.push(step);
  }
  return [...ranked].sort(([a], [b]) => a - b).flatMap(([, same]) => same);
}

/** One comparison under way: what was decided of each identity so far. */
class Comparison {
  readonly deletions = new Map<Identity, Step>();
  readonly creations = new Map<Identity, Step>();
  readonly #wantedOf: WantedOf;
  readonly #belief: Belief;
  /** What goes because something that it lives in goes. */
  readonly #lost = new Set<Identity>();
  /** Tables that lose their elements in one step with their change. */
  readonly #rebuilt = new Set<Identity>();
  /** What has to be looked at again, for what it lives in goes. */
  readonly #queue: Identity[] = [];

  constructor(wantedOf: WantedOf, belief: Belief) {
    this.#wantedOf = wantedOf;
    this.#belief = belief;
  }

  run(identities: Iterable<Identity>): void {
    for (const identity of identities) this.#decide(identity);
    // A list gives what is added while it is gone through.
    for (const identity of this.#queue) this.#decide(identity);
  }

  /** Deletions that the deletion of a container does. */
  implied(): ReadonlySet<Identity> {
    const implied = new Set<Identity>();
    for (const [identity, { object }] of this.deletions) {
      if (object.kind === "held" || this.#isLent(object)) continue;
      if (takenAlongBy(object).some((container) => this.#takes(container, object))) implied.add(identity);
    }
    return implied;
  }

  /** True when the container goes, and the object with it. */
  #takes(container: Identity, object: KernelObject): boolean {
    const identity = this.#belief.providerOf(container);
    if (this.#rebuilt.has(identity)) return true;
    if (!this.deletions.has(identity) && !this.#lost.has(identity)) return false;
    const found = this.#belief.get(identity);
    return found === undefined || found.kind === "held" || takesAlong(found, object);
  }

  /** A bridge's port that is somebody else's link: it is put back as it was, not left to what becomes of it. */
  #isLent(object: KernelObject): boolean {
    if (object.kind !== "port") return false;
    const link = this.#belief.get(this.#belief.providerOf(linkIdentity(object.netns, object.link)));
    return link?.kind !== "link" || link.spec.type === "adopted";
  }

  #decide(identity: Identity): void {
    const wanted = this.#wantedOf(identity);
    const found = this.#belief.get(identity);
    if (wanted === undefined) {
      if (found === undefined) return;
      this.deletions.set(identity, { step: "delete", identity, object: found });
      if (found.kind === "held" || takesAlong(found)) this.#lose(identity);
    } else if (found === undefined || this.#lost.has(identity)) {
      this.#create(identity, wanted);
      if (found === undefined) this.#loseHeld(identity);
      // What outlives what it lives in has to go before it can be made anew: held objects above all.
      if (found !== undefined) this.deletions.set(identity, { step: "delete", identity, object: found });
    } else {
      this.#change(identity, wanted, found);
    }
  }

  #change(identity: Identity, wanted: WantedObject, found: PlannedObject): void {
    const difference = comparePlanned(wanted.object, found);
    if (difference === "none") return;
    if (difference === "recreate" && this.#lacksParent(wanted.object)) return;
    if (difference !== "in-place") this.#lose(identity);
    if (difference === "rebuild") this.#rebuilt.add(identity);
    if (difference === "recreate") {
      this.deletions.set(identity, { step: "delete", identity, object: found });
      this.#create(identity, wanted);
      return;
    }
    const { object, effects } = wanted;
    this.creations.set(identity, { step: "change", identity, object, former: found, effects });
  }

  /**
   * A link that has to be made anew, on one that is somebody else's and not there under the name that is wanted: it may
   * only be called otherwise by now. What is deleted could not come back, so what was found stays, as drift.
   */
  #lacksParent(wanted: PlannedObject): boolean {
    if (wanted.kind !== "link") return false;
    return containersOfPlanned(wanted).some((container) => {
      if (this.#belief.get(this.#belief.providerOf(container)) !== undefined) return false;
      const parent = this.#wantedOf(container)?.object;
      return parent?.kind === "link" && parent.spec.type === "adopted";
    });
  }

  #create(identity: Identity, { object, effects }: WantedObject): void {
    this.creations.set(identity, { step: "create", identity, object, effects });
  }

  /** All that lives in it has to be looked at again. */
  #lose(identity: Identity): void {
    for (const child of this.#belief.inside(identity)) this.#loseOne(child);
  }

  /** Somebody else removed it; what is held within it is held in what is no more. */
  #loseHeld(identity: Identity): void {
    for (const child of this.#belief.inside(identity))
      if (this.#belief.get(child)?.kind === "held") this.#loseOne(child);
  }

  #loseOne(identity: Identity): void {
    if (this.#lost.has(identity)) return;
    this.#lost.add(identity);
    this.#queue.push(identity);
  }
}
