import type { Events } from "../core/index.ts";
import type { ControllerEvent } from "./controller-event.ts";

/** Work that goes on after its caller was answered. */
export class Background {
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #failures = new Map<string, unknown>();
  readonly #events: Events<ControllerEvent>;

  constructor(events: Events<ControllerEvent>) {
    this.#events = events;
  }

  /** Starts `work` under a key that others can wait for; its failure becomes an event. */
  start(key: string, work: () => Promise<void>): void {
    const previous = this.#running.get(key) ?? Promise.resolve();
    const running: Promise<unknown> = previous
      .then(() => {
        this.#failures.delete(key);
        return work();
      })
      .catch((error: unknown) => {
        this.#failures.set(key, error);
        this.#events.emit({ event: "removal-failed", what: key, error });
      })
      .finally(() => {
        if (this.#running.get(key) === running) this.#running.delete(key);
      });
    this.#running.set(key, running);
  }

  /** True while there is work under `key`. */
  has(key: string): boolean {
    return this.#running.has(key);
  }

  /** Why the last work under `key` failed; undefined when it did not. */
  failureOf(key: string): unknown {
    return this.#failures.get(key);
  }

  /** Resolves when the work under `key` has ended; at once when there is none. */
  async settled(key: string): Promise<void> {
    await this.#running.get(key);
  }

  /** How much goes on. */
  get size(): number {
    return this.#running.size;
  }

  /** True while anything goes on. */
  get busy(): boolean {
    return this.#running.size > 0;
  }

  /** Resolves when what goes on now has ended; what begins meanwhile is not waited for. */
  async current(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  /** Resolves when nothing goes on any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }
}
