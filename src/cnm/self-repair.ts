import { isWeftError } from "../core/index.ts";
import type { HostChange } from "../facts/index.ts";
import { hostNetns, linkIdentity } from "../kernel/index.ts";
import { followChangedFacts } from "./changed-facts.ts";
import type { Context } from "./context.ts";
import { followFirewalls, lookForFirewalls } from "./other-firewalls.ts";
import { hostLock, resume } from "./restore-deletions.ts";

/** How long further changes are waited for before the host is looked at, ms: a program that changes it does more than one thing. */
const quietMs = 50;
/** The longest wait before the host's rules are put right again, ms: without them nothing is kept apart. */
const longestRulesWaitMs = 500;
/** The longest wait before links are, ms: root in a sandbox may delete its own as often as it likes. */
const longestLinksWaitMs = 10_000;
/** After this long without a repair the next one waits no longer than the first, ms. */
const peaceMs = 30_000;

/** How often weft has put the host right by itself. */
export interface RepairCounters {
  /** Times that something had to be put right. */
  readonly repairs: number;
  /** Things that were put right, in all. */
  readonly repairedObjects: number;
}

/** What came of a look at the host. */
interface Outcome {
  readonly mended: readonly string[];
  readonly failures: readonly { readonly what: string; readonly error: unknown }[];
}

/**
 * Keeps the host as the records say when others change it: what is weft's is put back, and other firewalls
 * that come are passed. It is told of changes and asks nothing; who fights it is answered ever more slowly.
 * Rules and links are seen to apart, so that a fight over the one does not delay the other.
 */
export class SelfRepair {
  readonly #context: Context;
  readonly #stopped = new AbortController();
  readonly #rules: Watchman;
  readonly #links: Watchman;
  #by: string | undefined;
  #repairs = 0;
  #repairedObjects = 0;

  constructor(context: Context) {
    this.#context = context;
    const { signal } = this.#stopped;
    this.#rules = new Watchman(context, signal, longestRulesWaitMs, () => this.#seeToRules());
    this.#links = new Watchman(context, signal, longestLinksWaitMs, () => this.#seeToLinks());
  }

  get counters(): RepairCounters {
    return { repairs: this.#repairs, repairedObjects: this.#repairedObjects };
  }

  /** Begins to act on what it hears, and has heard; not before the host was brought to what the records say. */
  start(): void {
    this.#rules.start();
    this.#links.start();
  }

  /** Takes note of a change that somebody made. */
  hear(change: HostChange): void {
    switch (change.change) {
      case "rules":
        this.#by = change.program;
        if (change.ours || change.chains) this.#rules.call();
        break;
      case "links":
        this.#links.call();
        break;
      case "other links":
        if (change.links.some((name) => this.#isWanted(name))) this.#links.call();
        break;
      case "unknown":
        this.#rules.call();
        this.#links.call();
        break;
      case "ended":
        this.#context.events.emit({
          event: "follow-failed",
          what: "changes of the host",
          error: change.error,
        });
    }
  }

  /** Whether something is built on the host's link of that name. */
  #isWanted(name: string): boolean {
    return this.#context.reconciler.desired.get(linkIdentity(hostNetns, name)) !== undefined;
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Looks for other firewalls, and puts weft's rules and its own in theirs right. */
  async #seeToRules(): Promise<boolean> {
    lookForFirewalls(this.#context);
    await followFirewalls(this.#context);
    const { mended, failures } = await this.#context.reconciler.syncRules();
    return this.#tell({
      mended,
      failures: failures.map(({ step, error }) => ({ what: step.identity, error })),
    });
  }

  /** Puts everything right, if anything is not. */
  async #seeToLinks(): Promise<boolean> {
    const { reconciler, locks } = this.#context;
    await followChangedFacts(this.#context);
    const drifts = await reconciler.drift();
    if (drifts.length === 0) return false;
    const { failures, unmended } = await locks.run(hostLock, () => resume(this.#context));
    const left = new Set([...failures.map(({ step }) => step.identity), ...unmended]);
    const mended = drifts.map(({ identity }) => identity).filter((identity) => !left.has(identity));
    return this.#tell({
      mended,
      failures: failures.map(({ step, error }) => ({ what: step.identity, error })),
    });
  }

  /** True when something was not as it should be. */
  #tell({ mended, failures }: Outcome): boolean {
    if (mended.length > 0) {
      this.#repairs++;
      this.#repairedObjects += mended.length;
    }
    if (mended.length + failures.length === 0) return false;
    this.#context.events.emit({ event: "repaired", by: this.#by, what: mended, failures });
    return true;
  }
}

/** Looks after one part of the host, once it is called, as soon as no more calls come. */
class Watchman {
  readonly #context: Context;
  readonly #stopped: AbortSignal;
  readonly #longestWaitMs: number;
  /** Gives whether anything was amiss. */
  readonly #look: () => Promise<boolean>;
  #started = false;
  #called = false;
  #busy = false;
  #waitMs = quietMs;
  #lastAmiss = Number.NEGATIVE_INFINITY;

  constructor(context: Context, stopped: AbortSignal, longestWaitMs: number, look: () => Promise<boolean>) {
    this.#context = context;
    this.#stopped = stopped;
    this.#longestWaitMs = longestWaitMs;
    this.#look = look;
  }

  start(): void {
    this.#started = true;
    this.#goOn();
  }

  call(): void {
    this.#called = true;
    this.#goOn();
  }

  #goOn(): void {
    if (!this.#started || !this.#called || this.#busy || this.#stopped.aborted) return;
    this.#busy = true;
    void this.#work().finally(() => {
      this.#busy = false;
      this.#goOn();
    });
  }

  async #work(): Promise<void> {
    const { clock, operations, events } = this.#context;
    if (clock.monotonic() - this.#lastAmiss > peaceMs) this.#waitMs = quietMs;
    try {
      await clock.sleep(this.#waitMs, this.#stopped);
      this.#called = false;
      if (await operations.run(this.#look)) this.#slowDown();
    } catch (error) {
      // Closed meanwhile: the next controller puts it right.
      if (this.#stopped.aborted || isWeftError(error, "CONTROLLER_CLOSED")) return;
      events.emit({ event: "follow-failed", what: "changes of the host", error });
      this.#called = true; // what could not be looked at is looked at again
      this.#slowDown();
    }
  }

  #slowDown(): void {
    this.#lastAmiss = this.#context.clock.monotonic();
    this.#waitMs = Math.min(this.#waitMs * 2, this.#longestWaitMs);
  }
}
