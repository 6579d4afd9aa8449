import { WeftError } from "../core/index.ts";

/** What callers asked for and was not answered yet. Once it has ended, nothing new is begun. */
export class Operations {
  readonly #running = new Set<Promise<unknown>>();
  #ended = false;

  /** Runs `work`. Throws CONTROLLER_CLOSED once {@link end} was called. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ended) throw new WeftError("CONTROLLER_CLOSED", "the controller is closed");
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Begins nothing any more, and resolves when all that was begun has been answered. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.allSettled(this.#running);
  }
}
