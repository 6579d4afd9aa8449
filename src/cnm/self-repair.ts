import { isWeftError } from "../core/index.ts";
import type { HostChange } from "../facts/index.ts";
import type { Context } from "./context.ts";
import { followFirewalls, lookForFirewalls } from "./other-firewalls.ts";

/** How long further changes are waited for before the host is looked at, ms: a program that changes it does more than one thing. */
const quietMs = 50;
/** The longest wait between two repairs, ms, when somebody changes things back again and again. */
const longestWaitMs = 10_000;
/** After this long without a repair the next one waits no longer than the first, ms. */
const peaceMs = 30_000;

/** How often weft has put the host right by itself. */
export interface RepairCounters {
  /** Times that something had to be put right. */
  readonly repairs: number;
  /** Things that were put right, in all. */
  readonly repairedObjects: number;
}

/**
 * Keeps the host as the records say when others change it: what is weft's is put back, and other firewalls
 * that come are passed. It is told of changes and asks nothing; who fights it is answered ever more slowly.
 */
export class SelfRepair {
  readonly #context: Context;
  #firewallsChanged = false;
  #disturbed = false;
  #by: string | undefined;
  /** Ends the wait before the next look at the host, or the whole when it is stopped. */
  readonly #stopped = new AbortController();
  /** Waiting for more changes, or putting right what changed. */
  #busy = false;
  #waitMs = quietMs;
  #lastRepair = Number.NEGATIVE_INFINITY;
  #repairs = 0;
  #repairedObjects = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  get counters(): RepairCounters {
    return { repairs: this.#repairs, repairedObjects: this.#repairedObjects };
  }

  /** Takes note of a change that somebody made. */
  hear(change: HostChange): void {
    switch (change.change) {
      case "rules":
        this.#disturbed ||= change.ours;
        this.#firewallsChanged ||= change.chains;
        this.#by = change.program;
        break;
      case "links":
        this.#disturbed = true;
        break;
      case "unknown":
        this.#disturbed = true;
        this.#firewallsChanged = true;
        break;
      case "ended":
        this.#context.events.emit({
          event: "follow-failed",
          what: "changes of the host",
          error: change.error,
        });
        return;
    }
    if (this.#disturbed || this.#firewallsChanged) this.#plan();
  }

  stop(): void {
    this.#stopped.abort();
  }

  #plan(): void {
    if (this.#busy || this.#stopped.signal.aborted) return;
    this.#busy = true;
    void this.#work().finally(() => {
      this.#busy = false;
      if (this.#disturbed || this.#firewallsChanged) this.#plan();
    });
  }

  async #work(): Promise<void> {
    const { clock, operations, events } = this.#context;
    if (clock.monotonic() - this.#lastRepair > peaceMs) this.#waitMs = quietMs;
    try {
      await clock.sleep(this.#waitMs, this.#stopped.signal);
      await operations.run(() => this.#putRight());
    } catch (error) {
      // Closed meanwhile: the next controller puts it right.
      if (this.#stopped.signal.aborted || isWeftError(error, "CONTROLLER_CLOSED")) return;
      events.emit({ event: "follow-failed", what: "changes of the host", error });
    }
  }

  async #putRight(): Promise<void> {
    const { otherFirewalls, reconciler } = this.#context;
    if (this.#firewallsChanged) {
      this.#firewallsChanged = false;
      lookForFirewalls(this.#context);
      await followFirewalls(this.#context);
      // Whoever flushes a chain takes our rule along.
      this.#disturbed ||= otherFirewalls.chains.some(({ drops }) => drops);
    }
    if (!this.#disturbed) return;
    this.#disturbed = false;
    const drifts = await reconciler.drift();
    if (drifts.length === 0) return;
    const { failures } = await reconciler.sync();
    this.#repairs++;
    this.#repairedObjects += drifts.length;
    this.#lastRepair = this.#context.clock.monotonic();
    this.#waitMs = Math.min(this.#waitMs * 2, longestWaitMs);
    this.#context.events.emit({
      event: "repaired",
      by: this.#by,
      what: drifts.map(({ drift, identity }) => `${drift} ${identity}`),
      failures: failures.map(({ step, error }) => ({ what: step.identity, error })),
    });
  }
}
