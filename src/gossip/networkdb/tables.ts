import { type Entry, isTombstone } from "./entry.ts";

interface Table {
  readonly entries: Map<string, Entry>;
  /** The keys of those that are deleted: only they are looked at when it is time to forget. */
  readonly tombstones: Set<string>;
}

/** Where an entry stands. */
export interface Place {
  readonly table: string;
  readonly key: string;
}

/** One network's tables as this node knows them, tombstones included. */
export class Tables {
  readonly #tables = new Map<string, Table>();
  #size = 0;

  /** How many entries there are, tombstones included. */
  get size(): number {
    return this.#size;
  }

  /** The tables that have an entry or a tombstone. */
  names(): readonly string[] {
    return [...this.#tables.keys()];
  }

  get(table: string, key: string): Entry | undefined {
    return this.#tables.get(table)?.entries.get(key);
  }

  /** Puts an entry in the place of what was there. */
  set(table: string, key: string, entry: Entry): void {
    let found = this.#tables.get(table);
    if (found === undefined) {
      found = { entries: new Map(), tombstones: new Set() };
      this.#tables.set(table, found);
    }
    const before = found.entries.size;
    found.entries.set(key, entry);
    this.#size += found.entries.size - before;
    if (isTombstone(entry)) found.tombstones.add(key);
    else found.tombstones.delete(key);
  }

  remove(table: string, key: string): void {
    const found = this.#tables.get(table);
    if (found === undefined || !found.entries.delete(key)) return;
    found.tombstones.delete(key);
    this.#size--;
    if (found.entries.size === 0) this.#tables.delete(table);
  }

  /** The keys and entries of one table. Changes meanwhile are allowed, and may or may not be seen. */
  list(table: string): Iterable<[key: string, entry: Entry]> {
    return this.#tables.get(table)?.entries ?? [];
  }

  /** Every entry of every table. Changes meanwhile are allowed, and may or may not be seen. */
  *all(): Generator<[place: Place, entry: Entry]> {
    for (const [table, { entries }] of this.#tables)
      for (const [key, entry] of entries) yield [{ table, key }, entry];
  }

  /** Forgets the tombstones whose time has come. Gives how many. */
  reap(now: number): number {
    let reaped = 0;
    for (const [table, { entries, tombstones }] of this.#tables)
      for (const key of tombstones) {
        const reapAt = entries.get(key)?.reapAt;
        if (reapAt === undefined || reapAt > now) continue;
        this.remove(table, key);
        reaped++;
      }
    return reaped;
  }
}
