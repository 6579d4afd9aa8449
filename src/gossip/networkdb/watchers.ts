import { messageOf, type Unsubscribe } from "../../core/index.ts";
import type { GossipLog } from "../environment.ts";

/** A change of what the other nodes of a network say, in the order in which it happened here. */
export interface TableChange {
  readonly change: "created" | "updated" | "deleted";
  readonly network: string;
  readonly table: string;
  readonly key: string;
  /** Who wrote the entry; of a deleted one, who had written it. */
  readonly owner: string;
  /** What it holds now; of a deleted one, what it held. */
  readonly value: Uint8Array;
  /** Of an updated one: what it held before. */
  readonly previous: Uint8Array | undefined;
}

/** Which changes are wanted: of one network, of one table, of that table of that network, or all. */
export interface WatchFilter {
  readonly network?: string;
  readonly table?: string;
}

/** A version of an entry as a watcher sees it. */
export interface Seen {
  readonly owner: string;
  readonly value: Uint8Array;
}

interface Watcher {
  readonly filter: WatchFilter;
  readonly listener: (change: TableChange) => void;
}

/** Tells watchers, one change after the other, also when a watcher's own doing leads to a change. */
export class Watchers {
  readonly #watchers = new Set<Watcher>();
  readonly #waiting: (() => void)[] = [];
  readonly #log: GossipLog;
  #telling = false;

  constructor(log: GossipLog) {
    this.#log = log;
  }

  /** Of `present`, the new watcher alone is told, after what others still wait to be told. */
  watch(
    filter: WatchFilter,
    listener: (change: TableChange) => void,
    present: readonly TableChange[],
  ): Unsubscribe {
    const watcher = { filter, listener };
    let isOpen = true;
    this.#tell(() => {
      if (isOpen) this.#watchers.add(watcher);
      for (const change of present) if (isOpen) this.#call(watcher, change);
    });
    return () => {
      isOpen = false;
      this.#watchers.delete(watcher);
    };
  }

  /** Tells what became of one key: what watchers saw of it before, and what they see now. */
  changed(
    place: { readonly network: string; readonly table: string; readonly key: string },
    before: Seen | undefined,
    after: Seen | undefined,
  ): void {
    if (after !== undefined) {
      if (before !== undefined && before.owner === after.owner && sameBytes(before.value, after.value))
        return;
      const change = before === undefined ? "created" : "updated";
      this.#emit({ change, ...place, owner: after.owner, value: after.value, previous: before?.value });
    } else if (before !== undefined)
      this.#emit({
        change: "deleted",
        ...place,
        owner: before.owner,
        value: before.value,
        previous: undefined,
      });
  }

  #emit(change: TableChange): void {
    if (this.#watchers.size === 0 && !this.#telling) return;
    this.#tell(() => {
      for (const watcher of [...this.#watchers]) if (this.#watchers.has(watcher)) this.#call(watcher, change);
    });
  }

  #call({ filter, listener }: Watcher, change: TableChange): void {
    if (filter.network !== undefined && filter.network !== change.network) return;
    if (filter.table !== undefined && filter.table !== change.table) return;
    try {
      listener(change);
    } catch (error) {
      this.#log.warn("network database: a watcher failed", { error: messageOf(error) });
    }
  }

  #tell(task: () => void): void {
    this.#waiting.push(task);
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next();
    } finally {
      this.#telling = false;
    }
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
