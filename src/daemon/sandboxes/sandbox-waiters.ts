import type { Id } from "../../core/index.ts";
import type { SandboxRecord } from "./sandbox-record.ts";

/** Those who wait until something has become of a sandbox's command. */
export class SandboxWaiters {
  readonly #waiters = new Map<Id, Set<(record: SandboxRecord) => void>>();

  /** The record as {@link tell} is given it next. Rejects with the signal's reason. */
  next(id: Id, signal: AbortSignal): Promise<SandboxRecord> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(id) ?? new Set();
      this.#waiters.set(id, waiters);
      const forget = () => {
        waiters.delete(done);
        if (waiters.size === 0) this.#waiters.delete(id);
        signal.removeEventListener("abort", aborted);
      };
      const done = (record: SandboxRecord) => {
        forget();
        resolve(record);
      };
      const aborted = () => {
        forget();
        reject(signal.reason);
      };
      waiters.add(done);
      if (signal.aborted) return aborted();
      signal.addEventListener("abort", aborted, { once: true });
    });
  }

  /** A sandbox's command has ended, or the sandbox was removed. */
  tell(record: SandboxRecord): void {
    for (const done of [...(this.#waiters.get(record.id) ?? [])]) done(record);
  }
}
