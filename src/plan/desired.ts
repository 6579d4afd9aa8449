import { deepEqual, WeftError } from "../core/index.ts";
import type { Effect, Identity } from "../kernel/index.ts";
import { identityOfPlanned, type OwnerId, type PlannedObject, type Wanted } from "./object.ts";

/** What each of some owners wants from now on; an empty list gives all of it up. */
export type Changes = ReadonlyMap<OwnerId, readonly Wanted[]>;

interface Entry {
  readonly object: PlannedObject;
  readonly effects: readonly Effect[];
  readonly owners: ReadonlySet<OwnerId>;
}

/** A change worked out but not made: see {@link Desired.propose}. */
export interface Proposal {
  readonly changes: Changes;
  /** Every identity that an owner takes up, gives up or wants otherwise. */
  readonly touched: ReadonlySet<Identity>;
  /** The wanted objects as they would be: of `touched` only, undefined where nobody would want one any more. */
  readonly entries: ReadonlyMap<Identity, Entry | undefined>;
}

/** Who wants what: every object with the set of its owners. It exists while anybody wants it. */
export class Desired {
  readonly #entries = new Map<Identity, Entry>();
  readonly #byOwner = new Map<OwnerId, readonly Wanted[]>();

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
    const entries = new Map<Identity, Entry | undefined>();
    const current = (identity: Identity) =>
      entries.has(identity) ? entries.get(identity) : this.#entries.get(identity);
    for (const owner of changes.keys()) {
      for (const { object } of this.wantedBy(owner)) {
        const identity = identityOfPlanned(object);
        entries.set(identity, withoutOwner(current(identity), owner));
      }
    }
    for (const [owner, wanted] of changes) {
      for (const { object, effects } of wanted) {
        const identity = identityOfPlanned(object);
        entries.set(identity, withOwner(current(identity), identity, object, effects ?? [], owner));
      }
    }
    return { changes, touched: new Set(entries.keys()), entries };
  }

  /** Makes a proposal come true. Gives the changes that would undo it. */
  accept(proposal: Proposal): Changes {
    const undo = new Map<OwnerId, readonly Wanted[]>();
    for (const [owner, wanted] of proposal.changes) {
      undo.set(owner, this.wantedBy(owner));
      if (wanted.length === 0) this.#byOwner.delete(owner);
      else this.#byOwner.set(owner, wanted);
    }
    for (const [identity, entry] of proposal.entries) {
      if (entry === undefined) this.#entries.delete(identity);
      else this.#entries.set(identity, entry);
    }
    return undo;
  }
}

function withoutOwner(entry: Entry | undefined, owner: OwnerId): Entry | undefined {
  if (entry === undefined) return undefined;
  const owners = new Set(entry.owners);
  owners.delete(owner);
  return owners.size === 0 ? undefined : { ...entry, owners };
}

function withOwner(
  entry: Entry | undefined,
  identity: Identity,
  object: PlannedObject,
  effects: readonly Effect[],
  owner: OwnerId,
): Entry {
  if (entry === undefined) return { object, effects, owners: new Set([owner]) };
  if (!deepEqual(entry.object, object)) {
    const others = [...entry.owners].join(", ");
    throw new WeftError("OBJECT_CONFLICT", `${owner} and ${others} want different values of ${identity}`, {
      details: { identity, wanted: object, existing: entry.object },
    });
  }
  return {
    object: entry.object,
    effects: [...entry.effects, ...effects],
    owners: new Set([...entry.owners, owner]),
  };
}
