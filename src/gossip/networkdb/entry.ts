import type { TableEvent } from "./messages.ts";

/** One version of one key of a table; never changed, only replaced. */
export interface Entry {
  /** The node that wrote it. */
  readonly owner: string;
  /** Of the table clock. */
  readonly time: number;
  readonly value: Uint8Array;
  /** Of a deleted entry: when it may be forgotten, ms of the monotonic clock. */
  readonly reapAt: number | undefined;
}

/** Whether the key has been deleted, and this stands in its place so that older news does not bring it back. */
export function isTombstone(entry: Entry): boolean {
  return entry.reapAt !== undefined;
}

/**
 * Which of two versions of one key is to stay: above 0 when it is `a`. The later one by its Lamport time; of
 * two with the same, that of the greater owner, a deletion, the greater value. So whoever has seen both keeps
 * the same, in whatever order they came.
 */
export function compareVersions(a: Entry, b: Entry): number {
  if (a.time !== b.time) return a.time - b.time;
  if (a.owner !== b.owner) return a.owner > b.owner ? 1 : -1;
  if (isTombstone(a) !== isTombstone(b)) return isTombstone(a) ? 1 : -1;
  return Buffer.compare(a.value, b.value);
}

/** What the protocol says of an entry. Of a tombstone that is to be forgotten within a second: nothing. */
export function eventOf(
  place: { readonly network: string; readonly table: string; readonly key: string },
  entry: Entry,
  now: number,
): TableEvent | undefined {
  const { owner: node, time, value, reapAt } = entry;
  const residualSeconds = reapAt === undefined ? 0 : Math.floor((reapAt - now) / 1000);
  if (reapAt !== undefined && residualSeconds < 1) return undefined;
  const change = reapAt === undefined ? "create" : "delete";
  return { kind: "table", change, time, node, ...place, value, residualSeconds };
}
