import { deepEqual } from "../core/index.ts";
import type { Effect, Identity } from "../kernel/index.ts";
import type { Belief } from "./belief.ts";
import type { Desired, Proposal } from "./desired.ts";
import type { PlannedObject } from "./object.ts";

/** Effects that wait until the objects of those identities are gone. */
export type Going = ReadonlyMap<Identity, Gone>;

interface Gone {
  /** What has to go, as it is believed to be. */
  readonly object: PlannedObject;
  readonly effects: readonly Effect[];
}

/** For a run after which no effect waits. */
export const nothingGoing: Going = new Map();

/** What happens once the objects that a change gives up or replaces are gone; asked before it is accepted. */
export function goingOf({ entries }: Proposal, desired: Desired, belief: Belief): Going {
  const going = new Map<Identity, Gone>();
  for (const [identity, next] of entries) {
    const former = desired.get(identity);
    const object = belief.get(identity);
    // Asked first, for looking at what all owners of a table want costs more.
    if (former === undefined || object === undefined || next?.object === former.object) continue;
    const effects = former.effectsWhenGone;
    if (effects.length > 0) going.set(identity, { object, effects });
  }
  return going;
}

/** The effects of those that are not believed to be there any more as they were. */
export function effectsOfGone(going: Going, belief: Belief): readonly Effect[] {
  return [...going].flatMap(([identity, gone]) => (isThere(belief, identity, gone) ? [] : gone.effects));
}

/** Those that are still believed to be there as they were. */
export function stillThere(going: Going, belief: Belief): Going {
  return new Map([...going].filter(([identity, gone]) => isThere(belief, identity, gone)));
}

function isThere(belief: Belief, identity: Identity, { object }: Gone): boolean {
  return deepEqual(belief.get(identity), object);
}
