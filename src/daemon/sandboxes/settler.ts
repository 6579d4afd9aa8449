import { type Clock, type Id, type KeyedLock, shortId } from "../../core/index.ts";

/** The pause before the first further try, ms; each later one is twice as long. */
const firstPauseMs = 100;
const longestPauseMs = 10_000;

/** What a settler works with. */
export interface SettlerInit {
  readonly clock: Pick<Clock, "sleep">;
  /** Under which everything that happens to a sandbox is done, by its id. */
  readonly lock: KeyedLock;
  /** Writes what has happened to a sandbox and does what follows from it; to do it once more is no harm. */
  readonly settle: (id: Id) => Promise<void>;
  /** Hears of the first try that failed, of a row of them. */
  readonly onError: (what: string, error: unknown) => void;
}

/**
 * Brings to the disk and to the model what has happened already and cannot be refused any more, as a command's end:
 * when the disk is full, it is tried again and again, ever more seldom, until it is done.
 */
export class Settler {
  readonly #init: SettlerInit;
  /** Those that are tried again; aborting ends a pause. */
  readonly #pauses = new Map<Id, AbortController>();
  #closed = false;

  constructor(init: SettlerInit) {
    this.#init = init;
  }

  /** Settles a sandbox, whose lock the caller holds. Resolves when the first try is over, however it went. */
  async settle(id: Id): Promise<void> {
    try {
      await this.#init.settle(id);
      this.#forget(id);
    } catch (error) {
      if (this.#closed || this.#pauses.has(id)) return;
      this.#init.onError(`record what happened to sandbox ${shortId(id)}, which is tried again`, error);
      void this.#insist(id);
    }
  }

  /** Tries what is left a last time, and ends. */
  async close(): Promise<void> {
    this.#closed = true;
    const left = [...this.#pauses.keys()];
    for (const id of left) this.#forget(id);
    await Promise.allSettled(left.map((id) => this.#init.lock.run(id, () => this.#init.settle(id))));
  }

  async #insist(id: Id): Promise<void> {
    const { clock, lock } = this.#init;
    const pause = new AbortController();
    this.#pauses.set(id, pause);
    for (let ms = firstPauseMs; ; ms = Math.min(2 * ms, longestPauseMs)) {
      await clock.sleep(ms, pause.signal).catch(() => {}); // aborted
      await lock.run(id, () => this.#tryAgain(id, pause)).catch(() => {}); // which was told of
      if (this.#pauses.get(id) !== pause) return;
    }
  }

  /** Nothing when it was settled meanwhile. */
  async #tryAgain(id: Id, pause: AbortController): Promise<void> {
    if (this.#pauses.get(id) !== pause) return;
    await this.#init.settle(id);
    this.#pauses.delete(id);
  }

  #forget(id: Id): void {
    this.#pauses.get(id)?.abort();
    this.#pauses.delete(id);
  }
}
