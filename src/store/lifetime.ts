import { WeftError } from "../core/index.ts";

/** Knows whether a store may be used now, and which of its commits are under way. */
export class Lifetime {
  readonly #name: string;
  readonly #commits = new Set<Promise<unknown>>();
  #working = false;
  #closed: Promise<void> | undefined;

  /** `name` is what messages call the store. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Throws STORE once the store is closed, INTERNAL inside a transaction's function. */
  check(): void {
    if (this.#closed !== undefined) throw new WeftError("STORE", `${this.#name} is closed`);
    if (this.#working) {
      throw new WeftError(
        "INTERNAL",
        "the store was used inside a transaction's function, which may touch its transaction only",
      );
    }
  }

  /** Runs a transaction's function, with the store itself out of bounds. */
  work<T>(run: () => T): T {
    this.#working = true;
    try {
      return run();
    } finally {
      this.#working = false;
    }
  }

  /** Gives `commit` back; {@link close} waits for it. */
  track<T>(commit: Promise<T>): Promise<T> {
    this.#commits.add(commit);
    const done = () => this.#commits.delete(commit);
    commit.then(done, done);
    return commit;
  }

  /** Refuses all use from now on, and calls `release`, once, when no commit is under way. */
  close(release: () => Promise<void>): Promise<void> {
    this.#closed ??= Promise.allSettled(this.#commits).then(release);
    return this.#closed;
  }
}
