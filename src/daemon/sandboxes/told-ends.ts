import type { Clock, Id } from "../../core/index.ts";

/** How long the client that started a command is waited for to tell how it ended, ms. */
export const tellWithinMs = 1_000;

/** What clients tell of how their commands ended; each knows best: also that its command could not be started. */
export class ToldEnds {
  readonly #clock: Pick<Clock, "sleep">;
  readonly #told = new Map<Id, { readonly status: number | undefined; readonly hear: () => void }>();

  constructor(clock: Pick<Clock, "sleep">) {
    this.#clock = clock;
  }

  /** A client tells the exit code of its sandbox's command. */
  tell(id: Id, status: number): void {
    const told = this.#told.get(id);
    this.#told.set(id, { status, hear: () => {} });
    told?.hear();
  }

  /** What was told, or is told soon; undefined when nothing is. */
  async hear(id: Id): Promise<number | undefined> {
    if (!this.#told.has(id)) {
      const patience = new AbortController();
      const heard = new Promise<void>((resolve) => this.#told.set(id, { status: undefined, hear: resolve }));
      await Promise.race([heard, this.#clock.sleep(tellWithinMs, patience.signal).catch(() => {})]);
      patience.abort();
    }
    const told = this.#told.get(id)?.status;
    this.#told.delete(id);
    return told;
  }

  forget(id: Id): void {
    this.#told.delete(id);
  }
}
