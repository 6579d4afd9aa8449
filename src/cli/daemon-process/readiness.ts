import { closeSync, writeSync } from "node:fs";

/** The variable that tells a daemon the descriptor by which to say that it is ready. */
export const readyVariable = "WEFT_READY_FD";

/** What a daemon tells the one who started it: that it is ready, or why it never will be. One JSON document. */
export type Readiness = { readonly pid: number } | { readonly error: string };

/** A daemon's end of the pipe to `weft up`. */
export class ReadinessReport {
  #fd: number | undefined;

  /** Does nothing when nobody waits: a daemon that was started otherwise. */
  constructor(variable: string | undefined) {
    this.#fd = variable === undefined || !/^\d+$/.test(variable) ? undefined : Number(variable);
  }

  /** Tells it, once: what comes after the first is dropped. */
  tell(readiness: Readiness): void {
    if (this.#fd === undefined) return;
    try {
      writeSync(this.#fd, JSON.stringify(readiness));
      closeSync(this.#fd);
    } catch {
      // The one who started it went away.
    }
    this.#fd = undefined;
  }
}

/** Reads what a daemon told; undefined when it ended without a word. */
export function readReadiness(text: string): Readiness | undefined {
  try {
    const told: unknown = JSON.parse(text);
    if (typeof told !== "object" || told === null) return undefined;
    if ("pid" in told && typeof told.pid === "number") return { pid: told.pid };
    return "error" in told && typeof told.error === "string" ? { error: told.error } : undefined;
  } catch {
    return undefined;
  }
}
