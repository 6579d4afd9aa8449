import { hostNetns, type Identity, identityOf, type KernelObject } from "../kernel/index.ts";
import type { Store } from "../store/index.ts";
import type { PlannedObject } from "./object.ts";

/** What stood in the place of an object that cannot carry weft's mark, before weft wrote it. */
export interface JournalEntry {
  readonly object: KernelObject;
  /** The former value; null when there was none. */
  readonly former: KernelObject | null;
}

/**
 * Remembers former values of what cannot be marked, durably and before the write, so that they can be
 * restored by whoever comes next.
 */
export interface Journal {
  get(identity: Identity): JournalEntry | undefined;
  entries(): Iterable<JournalEntry>;
  /** Resolves when the entries are durable. */
  record(entries: readonly JournalEntry[]): Promise<void>;
  forget(identities: readonly Identity[]): Promise<void>;
}

const folder = "journal/";

/** An entry with the host that it is about, if that was told. */
interface StoredEntry extends JournalEntry {
  readonly host?: string;
}

/** A journal in the controller's store, below `journal/`. */
export class StoreJournal implements Journal {
  readonly #store: Store;
  #host: string | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  get(identity: Identity): JournalEntry | undefined {
    const stored = this.#store.get(keyOf(identity)) as StoredEntry | undefined; // only record() writes below journal/
    return stored && entryOf(stored);
  }

  *entries(): Iterable<JournalEntry> {
    for (const stored of this.#stored()) yield entryOf(stored);
  }

  async record(entries: readonly JournalEntry[]): Promise<void> {
    const host = this.#host === undefined ? {} : { host: this.#host };
    await this.#store.transact((transaction) => {
      for (const entry of entries) transaction.put(keyOf(identityOf(entry.object)), { ...entry, ...host });
    });
  }

  async forget(identities: readonly Identity[]): Promise<void> {
    await this.#store.transact((transaction) => {
      for (const identity of identities) transaction.delete(keyOf(identity));
    });
  }

  /**
   * From here on the journal is about the host that `host` tells from every other, and from what it was before the
   * machine was booted. What is about another is forgotten: after a boot, what weft once wrote is not there any more, and
   * what stands in its place is the host's own.
   */
  async beginOn(host: string): Promise<void> {
    this.#host = host;
    const stored = [...this.#stored()];
    const others = stored.filter((entry) => entry.host !== undefined && entry.host !== host);
    const unsaid = stored.filter((entry) => entry.host === undefined); // written by a weft that did not say
    if (others.length > 0) await this.forget(others.map(({ object }) => identityOf(object)));
    if (unsaid.length > 0) await this.record(unsaid.map(entryOf));
  }

  *#stored(): Iterable<StoredEntry> {
    for (const { value } of this.#store.range(folder)) yield value as StoredEntry; // only record() writes there
  }
}

function entryOf({ object, former }: StoredEntry): JournalEntry {
  return { object, former };
}

/** Keys are paths of printable ASCII; an identity may hold a path itself. */
function keyOf(identity: Identity): string {
  return folder + encodeURIComponent(identity);
}

/**
 * True for what has to be journaled: it lives in the host's namespace, and on no link that weft made. A bridge's
 * port lives on the link that it is.
 * `isOwnLink` tells whether the host's link of that name is weft's.
 */
export function isUnmarked(
  object: PlannedObject,
  isOwnLink: (link: string) => boolean,
): object is KernelObject {
  switch (object.kind) {
    case "sysctl":
      return object.netns === hostNetns && (object.link === undefined || !isOwnLink(object.link));
    case "port":
    case "address":
    case "up":
      return object.netns === hostNetns && !isOwnLink(object.link);
    default:
      return false;
  }
}
