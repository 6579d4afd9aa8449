import type { Clock, Id } from "../../core/index.ts";

/** What is to be done with sandboxes after a while: one thing each, the last that was asked for. */
export class SandboxTimers {
  readonly #clock: Pick<Clock, "sleep">;
  readonly #onError: (error: unknown) => void;
  readonly #pending = new Map<Id, AbortController>();
  #closed = false;

  /** `onError` hears of what went wrong in what was done. */
  constructor(clock: Pick<Clock, "sleep">, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** True while something is to be done with the sandbox. */
  has(id: Id): boolean {
    return this.#pending.has(id);
  }

  /** Does `work` after `delayMs` (ms), in place of what was to be done with the sandbox; nothing once closed. */
  set(id: Id, delayMs: number, work: () => Promise<void>): void {
    this.cancel(id);
    if (this.#closed) return;
    const pending = new AbortController();
    this.#pending.set(id, pending);
    this.#clock.sleep(delayMs, pending.signal).then(
      async () => {
        if (this.#pending.get(id) === pending) this.#pending.delete(id);
        await work().catch(this.#onError);
      },
      () => {}, // cancelled
    );
  }

  cancel(id: Id): void {
    this.#pending.get(id)?.abort();
    this.#pending.delete(id);
  }

  /** Takes nothing up any more. */
  close(): void {
    this.#closed = true;
  }

  /** Gives up whatever is to be done. */
  cancelAll(): void {
    for (const id of [...this.#pending.keys()]) this.cancel(id);
  }
}
