import { Events, type Unsubscribe } from "../core/index.ts";
import { checkPrefix } from "./key.ts";
import type { TextWrites } from "./overlay.ts";
import type { StoreChange } from "./store.ts";
import { decodeValue } from "./value.ts";

/** A commit as a store made it. */
export interface Commit {
  readonly revision: number;
  readonly writes: TextWrites;
}

/** Tells a store's listeners of durable commits, in the order of their revisions. */
export class Watchers {
  readonly #events = new Events<Commit>();
  /** Made and not yet known to be durable, by rising revision. */
  #pending: Commit[] = [];

  /** Calls `listener` with what a commit did below `prefix`, for each commit that did anything there. */
  watch(prefix: string, listener: (change: StoreChange) => void): Unsubscribe {
    checkPrefix(prefix);
    return this.#events.subscribe((commit) => {
      const change = changeBelow(prefix, commit);
      if (change.writes.length > 0) listener(change);
    });
  }

  /** Notes a commit that is not durable yet. Must be called in the order of revisions. */
  made(commit: Commit): void {
    this.#pending.push(commit);
  }

  /** `commit` is durable, and so is all before it, whoever hears of it first. */
  durable(commit: Commit): void {
    const ready = this.#pending.filter((other) => other.revision <= commit.revision);
    this.#pending = this.#pending.filter((other) => other.revision > commit.revision);
    for (const each of ready) this.#events.emit(each);
  }

  /** `commit` came to nothing; its revision will be made again. */
  lost(commit: Commit): void {
    this.#pending = this.#pending.filter((other) => other !== commit);
  }
}

/** Values are decoded for each listener anew, so that one cannot spoil another's. */
function changeBelow(prefix: string, commit: Commit): StoreChange {
  const writes = [...commit.writes]
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, text]) => ({ key, value: text === undefined ? undefined : decodeValue(key, text) }));
  return { revision: commit.revision, writes };
}
