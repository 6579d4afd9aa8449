import { canonicalJson, deepEqual, WeftError } from "../core/index.ts";
import type { Effect, Identity } from "../kernel/index.ts";
import { identityOfPlanned, type OwnerId, type PlannedObject, type Wanted } from "./object.ts";

/** What each of some owners wants from now on; an empty list gives all of it up. */
export type Changes = ReadonlyMap<OwnerId, readonly Wanted[]>;

/** The effects that an owner's plan hangs on an object. */
type Hung = Required<Pick<Wanted, "effects" | "effectsWhenGone">>;

type Owners = ReadonlyMap<OwnerId, Hung>;

const nothingHung: Hung = { effects: [], effectsWhenGone: [] };

const nobody: Owners = new Map();

/**
 * An entry as a change would leave it. It speaks of the owners that come and go, not of all of them: a
 * table that a thousand networks share costs the next one no more than the first.
 */
class Draft {
  readonly object: PlannedObject;
  readonly #base: Owners;
  /** Of those before, who gives it up or wants it otherwise. Made with the first, for most drafts have none. */
  #gone: Set<OwnerId> | undefined;
  readonly #come = new Map<OwnerId, Hung>();

  constructor(object: PlannedObject, base: Owners) {
    this.object = object;
    this.#base = base;
  }

  /** How many would own it. */
  get size(): number {
    return this.#base.size - (this.#gone?.size ?? 0) + this.#come.size;
  }

  /** What happens once the object has come or changed: what its owners say, each effect once. */
  get effects(): readonly Effect[] {
    return effectsOf(this, "effects");
  }

  /** What happens once the object is gone. */
  get effectsWhenGone(): readonly Effect[] {
    return effectsOf(this, "effectsWhenGone");
  }

  /** Tells of each owner that it would have. */
  eachOwner(tell: (own: Hung, owner: OwnerId) => void): void {
    for (const [owner, own] of this.#base) if (!this.#gone?.has(owner)) tell(own, owner);
    this.#come.forEach(tell);
  }

  remove(owner: OwnerId): void {
    if (!this.#come.delete(owner) && this.#base.has(owner)) this.#leave(owner);
  }

  add(owner: OwnerId, { effects = [], effectsWhenGone = [] }: Omit<Wanted, "object">): void {
    const former = this.#gone?.has(owner) ? undefined : this.#base.get(owner);
    const own = this.#come.get(owner) ?? former ?? nothingHung;
    if (this.#base.has(owner)) this.#leave(owner);
    const hangs = effects.length + effectsWhenGone.length > 0;
    this.#come.set(
      owner,
      hangs
        ? {
            effects: [...own.effects, ...effects],
            effectsWhenGone: [...own.effectsWhenGone, ...effectsWhenGone],
          }
        : own,
    );
  }

  /** The same owners' coming and going, for another value. */
  replacedBy(object: PlannedObject): Draft {
    const draft = new Draft(object, this.#base);
    for (const owner of this.#gone ?? []) draft.remove(owner);
    return draft;
  }

  /** The owners that the draft says: those before, changed in place, or its own where there were none. */
  ownersAfter(before: Map<OwnerId, Hung> | undefined): Map<OwnerId, Hung> {
    if (before === undefined) return this.#come;
    for (const owner of this.#gone ?? []) before.delete(owner);
    for (const [owner, own] of this.#come) before.set(owner, own);
    return before;
  }

  #leave(owner: OwnerId): void {
    this.#gone ??= new Set();
    this.#gone.add(owner);
  }
}

/** The effects of one sort that a draft's owners hang on it, each once. */
function effectsOf(draft: Draft, sort: keyof Hung): readonly Effect[] {
  let all: readonly Effect[] = nothingHung[sort];
  draft.eachOwner((own) => {
    if (own[sort].length > 0) all = all.length === 0 ? own[sort] : [...all, ...own[sort]];
  });
  return eachOnce(all);
}

/** An object that somebody wants. */
class Entry {
  readonly object: PlannedObject;
  readonly #owners: Map<OwnerId, Hung>;

  constructor(object: PlannedObject, owners: Map<OwnerId, Hung>) {
    this.object = object;
    this.#owners = owners;
  }

  /** Its owners, each with what its plan hangs on the object. */
  get owners(): Owners {
    return this.#owners;
  }

  /** What happens once the object has come or changed: what its owners say, each effect once. */
  get effects(): readonly Effect[] {
    return new Draft(this.object, this.#owners).effects;
  }

  /** What happens once the object is gone. */
  get effectsWhenGone(): readonly Effect[] {
    return new Draft(this.object, this.#owners).effectsWhenGone;
  }

  /** The entry as a draft of it says; its owners are changed in place. */
  after(draft: Draft): Entry {
    return new Entry(draft.object, draft.ownersAfter(this.#owners));
  }
}

/** A change worked out but not made: see {@link Desired.propose}. */
export interface Proposal {
  readonly changes: Changes;
  /**
   * The wanted objects as they would be, of every identity that an owner takes up, gives up or wants
   * otherwise: undefined where nobody would want one any more.
   */
  readonly entries: ReadonlyMap<Identity, Draft | undefined>;
  /** How often what is wanted had changed when this was worked out. */
  readonly version: number;
}

/** Who wants what: every object with the set of its owners. It exists while anybody wants it. */
export class Desired {
  readonly #entries = new Map<Identity, Entry>();
  readonly #byOwner = new Map<OwnerId, readonly Wanted[]>();
  #version = 0;

  /** What is wanted of an identity. */
  get(identity: Identity): Entry | undefined {
    return this.#entries.get(identity);
  }

  /** Everything that is wanted. */
  identities(): Iterable<Identity> {
    return this.#entries.keys();
  }

  /** What an owner wants now. */
  wantedBy(owner: OwnerId): readonly Wanted[] {
    return this.#byOwner.get(owner) ?? [];
  }

  /** All owners that want something. */
  owners(): Iterable<OwnerId> {
    return this.#byOwner.keys();
  }

  /**
   * Works out what `changes` would mean, and changes nothing. Throws OBJECT_CONFLICT when two owners
   * would want different values of one identity.
   */
  propose(changes: Changes): Proposal {
    const drafts = new Map<Identity, Draft | undefined>();
    const former: Identity[] = [];
    for (const owner of changes.keys()) {
      for (const { object } of this.wantedBy(owner)) {
        const identity = identityOfPlanned(object);
        this.#draft(drafts, identity)?.remove(owner);
        former.push(identity);
      }
    }
    for (const [owner, wanted] of changes) {
      for (const one of wanted) this.#add(drafts, owner, one);
    }
    for (const identity of former) if (drafts.get(identity)?.size === 0) drafts.set(identity, undefined);
    return { changes, entries: drafts, version: this.#version };
  }

  /**
   * Makes a proposal come true. Gives the changes that would undo it. Throws OBJECT_CONFLICT when what
   * was wanted meanwhile leaves no room for it; then nothing was changed.
   */
  accept(proposal: Proposal): Changes {
    const { changes, entries } =
      proposal.version === this.#version ? proposal : this.propose(proposal.changes);
    const undo = new Map<OwnerId, readonly Wanted[]>();
    for (const [owner, wanted] of changes) {
      undo.set(owner, this.wantedBy(owner));
      if (wanted.length === 0) this.#byOwner.delete(owner);
      else this.#byOwner.set(owner, wanted);
    }
    for (const [identity, draft] of entries) {
      const entry = this.#entries.get(identity);
      if (draft === undefined) {
        this.#entries.delete(identity);
        continue;
      }
      this.#entries.set(
        identity,
        entry?.after(draft) ?? new Entry(draft.object, draft.ownersAfter(undefined)),
      );
    }
    this.#version++;
    return undo;
  }

  /** The draft of an identity, begun from what is wanted now; undefined when nobody wants it. */
  #draft(drafts: Map<Identity, Draft | undefined>, identity: Identity): Draft | undefined {
    const begun = drafts.get(identity);
    if (begun !== undefined) return begun;
    const entry = this.#entries.get(identity);
    const draft = entry === undefined ? undefined : new Draft(entry.object, entry.owners);
    if (draft !== undefined) drafts.set(identity, draft);
    return draft;
  }

  #add(drafts: Map<Identity, Draft | undefined>, owner: OwnerId, wanted: Wanted): void {
    const { object } = wanted;
    const identity = identityOfPlanned(object);
    let draft = this.#draft(drafts, identity);
    if (draft === undefined) {
      draft = new Draft(object, nobody);
      drafts.set(identity, draft);
    } else if (!deepEqual(draft.object, object)) {
      if (draft.size > 0) throw conflict(identity, owner, object, draft);
      // Its former owners give it up in the same change: the new value takes its place.
      draft = draft.replacedBy(object);
      drafts.set(identity, draft);
    }
    draft.add(owner, wanted);
  }
}

function eachOnce(effects: readonly Effect[]): readonly Effect[] {
  if (effects.length < 2) return effects;
  return [...new Map(effects.map((effect) => [canonicalJson(effect), effect])).values()];
}

function conflict(identity: Identity, owner: OwnerId, wanted: PlannedObject, draft: Draft): WeftError {
  const others: OwnerId[] = [];
  draft.eachOwner((_own, other) => others.push(other));
  return new WeftError(
    "OBJECT_CONFLICT",
    `${owner} and ${others.join(", ")} want different values of ${identity}`,
    {
      details: { identity, wanted, existing: draft.object },
    },
  );
}
