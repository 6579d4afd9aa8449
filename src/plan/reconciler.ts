import { Events, KeyedLock, throwAll } from "../core/index.ts";
import type { Effect, Identity, Kernel, KernelObject, KernelQuery, LinkObject } from "../kernel/index.ts";
import { hostNetns, linkIdentity } from "../kernel/index.ts";
import { Belief } from "./belief.ts";
import { type Changes, Desired, type Proposal } from "./desired.ts";
import { diff, type Step, type StepList } from "./diff.ts";
import { type Drift, driftOf, lookUps, namespacesOf } from "./drift.ts";
import { Executor, runEffects } from "./executor.ts";
import { type HeldHandler, handlerOf } from "./held.ts";
import { isUnmarked, type Journal, type JournalEntry } from "./journal.ts";
import {
  comparePlanned,
  containersOfPlanned,
  identityOfPlanned,
  type OwnerId,
  type PlannedObject,
  providesOf,
} from "./object.ts";
import { rankOfKind, withdrawnFromRank } from "./rank.ts";
import { Removals } from "./removals.ts";

/** What a reconciler tells about its background work. */
export type ReconcilerEvent =
  | { readonly event: "effect-failed"; readonly effect: Effect; readonly error: unknown }
  | { readonly event: "removal-failed"; readonly errors: readonly unknown[] };

/** What a reconciler is made of. */
export interface ReconcilerInit {
  readonly kernel: Kernel;
  readonly journal: Journal;
  readonly held: readonly HeldHandler[];
  /** Folders in which everything is weft's: namespaces, and files of sandboxes. */
  readonly netnsFolder?: string;
  readonly fileFolder?: string;
}

/** What a change left to be done. */
export interface Applied {
  /** Resolves when what the change gave up is out of the kernel; rejects when some of it could not be removed. */
  readonly removed: Promise<void>;
}

/**
 * Makes the host hold what its owners want. The only thing in weft that changes the host. Changes are
 * made one after the other; what they give up is withdrawn at once and removed in the background.
 */
export class Reconciler {
  readonly events = new Events<ReconcilerEvent>();
  readonly #kernel: Kernel;
  readonly #journal: Journal;
  readonly #handlers: ReadonlyMap<string, HeldHandler>;
  readonly #folders: Pick<KernelQuery, "netnsFolder" | "fileFolder">;
  readonly #desired = new Desired();
  readonly #belief = new Belief();
  readonly #executor: Executor;
  readonly #removals: Removals;
  readonly #lock = new KeyedLock();

  constructor(init: ReconcilerInit) {
    this.#kernel = init.kernel;
    this.#journal = init.journal;
    this.#handlers = new Map(init.held.map((handler) => [handler.type, handler]));
    this.#folders = {
      ...(init.netnsFolder === undefined ? {} : { netnsFolder: init.netnsFolder }),
      ...(init.fileFolder === undefined ? {} : { fileFolder: init.fileFolder }),
    };
    this.#executor = new Executor(this.#kernel, this.#handlers, this.#belief);
    this.#removals = new Removals(this.#kernel, (object) => rankOfKind[object.kind]);
  }

  /** What each owner wants; for those who show it. */
  get desired(): Pick<Desired, "get" | "wantedBy" | "owners" | "identities"> {
    return this.#desired;
  }

  /**
   * Lets owners want something else, and makes it so. When anything is refused, all of the change is
   * taken back and the refusal is thrown. Throws OBJECT_CONFLICT before anything was done when two
   * owners want different values of one object.
   */
  change(changes: Changes): Promise<Applied> {
    return this.#locked(() => this.#change(changes));
  }

  /**
   * Like {@link change}, for taking things down: goes on past failures and reports all of them through
   * {@link Applied.removed}, for there is no way back.
   */
  takeDown(changes: Changes): Promise<Applied> {
    return this.#locked(async () => {
      const proposal = this.#desired.propose(changes);
      const steps = await this.#steps(proposal);
      this.#desired.accept(proposal);
      const { failures, background } = await this.#run(steps, "continue");
      const errors = failures.map(({ error }) => error);
      return { removed: this.#finish(background, errors) };
    });
  }

  /** The steps that {@link change} would take now; nothing is done. */
  plan(changes: Changes): Promise<readonly Step[]> {
    return this.#locked(async () => {
      const { deletions, creations } = this.#diffOf(this.#desired.propose(changes));
      return [...deletions, ...creations];
    });
  }

  /** Lets owners want something without making it so, as a start does before its {@link sync}. Throws OBJECT_CONFLICT. */
  stage(changes: Changes): void {
    this.#desired.accept(this.#desired.propose(changes));
  }

  /**
   * Reads the host and makes it hold what is wanted, going on past failures: they are returned, with the
   * step that met them. What is right already is not touched; weft's marks that nobody wants are removed.
   * `again` names owners whose effects run although their objects are there: a crash may have been between.
   */
  sync(
    again: ReadonlySet<OwnerId> = new Set(),
  ): Promise<{ readonly failures: readonly { readonly step: Step; readonly error: unknown }[] }> {
    return this.#locked(async () => {
      await this.#removals.idle();
      await this.#observe();
      const identities = new Set([...this.#desired.identities(), ...this.#belief.identities()]);
      const journaled = [...this.#journal.entries()].filter(
        ({ object }) => this.#desired.get(identityOfPlanned(object)) === undefined,
      );
      for (const { object } of journaled) this.#belief.add(object);
      for (const { object } of journaled) identities.add(identityOfPlanned(object));
      const steps = await this.#prepared(
        diff(identities, (one) => this.#desired.get(one), this.#belief, this.#rankOf),
      );
      const { failures, background } = await this.#run(steps, "continue");
      for (const owner of again) {
        await this.#effects(this.#desired.wantedBy(owner).flatMap(({ effects }) => effects ?? []));
      }
      await this.#finish(background, []).catch(() => {}); // told as an event
      return { failures };
    });
  }

  /** Where the host differs from what is wanted. Held objects are not among it: they cannot be read. */
  drift(): Promise<readonly Drift[]> {
    return this.#locked(async () => {
      const found = await this.#kernel.read(this.#query());
      return driftOf(this.#desired, found, (identity) => this.#removals.has(identity));
    });
  }

  /** Resolves when nothing is on its way out any more. */
  idle(): Promise<void> {
    return this.#removals.idle();
  }

  /** Gives back everything held and lets go of the kernel; what is in the kernel stays. */
  async close(): Promise<void> {
    await this.#locked(async () => {
      await this.#removals.idle();
      const held = [...this.#belief.identities()]
        .map((one) => this.#belief.get(one))
        .filter((one) => one?.kind === "held");
      const errors: unknown[] = [];
      for (const object of held.sort((a, b) => this.#rankOf(b) - this.#rankOf(a))) {
        await handlerOf(this.#handlers, object)
          .release(object)
          .catch((error: unknown) => errors.push(error));
      }
      this.#kernel.close();
      throwAll("close", errors);
    });
  }

  #locked<T>(task: () => Promise<T>): Promise<T> {
    return this.#lock.run("host", task);
  }

  readonly #rankOf = (object: PlannedObject): number =>
    object.kind === "held" ? handlerOf(this.#handlers, object).rank : rankOfKind[object.kind];

  async #change(changes: Changes): Promise<Applied> {
    const proposal = this.#desired.propose(changes);
    const steps = await this.#steps(proposal);
    const undo = this.#desired.accept(proposal);
    const { failures, background } = await this.#run(steps, "stop");
    const [failure] = failures;
    if (failure === undefined) return { removed: this.#finish(background, []) };
    await this.#takeBack(undo, background);
    throw failure.error;
  }

  /** Wants again what was wanted before, and waits until what had been made is gone. */
  async #takeBack(undo: Changes, background: readonly Step[]): Promise<void> {
    const proposal = this.#desired.propose(undo);
    this.#desired.accept(proposal);
    for (const { object } of background) this.#belief.add(object); // they were not removed yet
    const steps = await this.#prepared(this.#diffOf(proposal));
    const { failures, background: made } = await this.#run(steps, "continue");
    await this.#finish(
      made,
      failures.map(({ error }) => error),
    ).catch(() => {}); // told as an event
  }

  #diffOf(proposal: Proposal): StepList {
    const wantedOf = (identity: Identity) =>
      proposal.entries.has(identity) ? proposal.entries.get(identity) : this.#desired.get(identity);
    return diff(proposal.touched, wantedOf, this.#belief, this.#rankOf);
  }

  #steps(proposal: Proposal): Promise<StepList> {
    return this.#prepared(this.#diffOf(proposal));
  }

  /** Waits for removals in the way, journals what cannot be marked, and turns its deletion into restoring. */
  async #prepared(steps: StepList): Promise<StepList> {
    const needed = steps.creations.flatMap(({ identity, object }) => [
      identity,
      ...providesOf(object),
      ...containersOfPlanned(object),
    ]);
    await this.#removals.waitFor(needed);
    await this.#record(steps.creations);
    return { ...steps, deletions: steps.deletions.flatMap((step) => this.#restoring(step)) };
  }

  async #record(creations: readonly Step[]): Promise<void> {
    // A link that the same change makes is weft's, though nobody believes it there yet.
    const making = new Set(creations.flatMap(({ object }) => (isOwnHostLink(object) ? [object.name] : [])));
    const fresh = creations.flatMap(({ object }) =>
      isUnmarked(object, (link) => making.has(link) || this.#isOwnLink(link)) ? [object] : [],
    );
    const unrecorded = fresh.filter((object) => this.#journal.get(identityOfPlanned(object)) === undefined);
    if (unrecorded.length === 0) return;
    const found = await this.#kernel.read({ namespaces: [], lookUp: unrecorded });
    const former = new Map(found.map(({ object }) => [identityOfPlanned(object), object]));
    await this.#journal.record(
      unrecorded.map(
        (object): JournalEntry => ({ object, former: former.get(identityOfPlanned(object)) ?? null }),
      ),
    );
  }

  #restoring(step: Step): readonly Step[] {
    const entry = this.#isUnmarked(step.object) ? this.#journal.get(step.identity) : undefined;
    if (entry === undefined || entry.former === null) return [step];
    return [
      { step: "change", identity: step.identity, object: entry.former, former: step.object, effects: [] },
    ];
  }

  #isUnmarked(object: PlannedObject): object is KernelObject {
    return isUnmarked(object, (link) => this.#isOwnLink(link));
  }

  /** True for a link of the host's namespace that weft made. */
  #isOwnLink(link: string): boolean {
    const identity = this.#belief.providerOf(linkIdentity(hostNetns, link));
    const object = this.#belief.get(identity) ?? this.#desired.get(identity)?.object;
    return object !== undefined && isOwnHostLink(object);
  }

  /** Runs creations after withdrawals; what may wait is left for the background. */
  async #run(steps: StepList, onFailure: "stop" | "continue") {
    const made = new Set(steps.creations.map(({ identity }) => identity));
    const mayWait = (step: Step) =>
      step.step === "delete" &&
      step.object.kind !== "held" &&
      this.#rankOf(step.object) < withdrawnFromRank &&
      !made.has(step.identity);
    const background = steps.deletions.filter(mayWait);
    const now = steps.deletions.filter((step) => !mayWait(step));
    const { failures, effects } = await this.#executor.run([...now, ...steps.creations], onFailure);
    for (const { identity } of background) this.#belief.remove(identity);
    await this.#forget(now.filter((step) => !failures.some((failure) => failure.step === step)));
    await this.#effects(effects);
    return { failures, background };
  }

  async #finish(background: readonly Step[], earlier: readonly unknown[]): Promise<void> {
    const objects = background.flatMap(({ object, identity }) =>
      object.kind === "held" ? [] : [{ object, identities: [identity, ...providesOf(object)] }],
    );
    const errors = [...earlier, ...(await this.#removals.remove(objects))];
    await this.#forget(background);
    if (errors.length > 0) this.events.emit({ event: "removal-failed", errors });
    throwAll("remove", errors);
  }

  /** Drops the journal's entries of what was restored or removed. */
  async #forget(steps: readonly Step[]): Promise<void> {
    const done = steps.map(({ identity }) => identity);
    const journaled = done.filter(
      (one) => this.#desired.get(one) === undefined && this.#journal.get(one) !== undefined,
    );
    for (const identity of journaled) this.#belief.remove(identity);
    if (journaled.length > 0) await this.#journal.forget(journaled);
  }

  #effects(effects: readonly Effect[]): Promise<void> {
    return runEffects(this.#kernel, effects, (effect, error) =>
      this.events.emit({ event: "effect-failed", effect, error }),
    );
  }

  #query(): KernelQuery {
    return { namespaces: namespacesOf(this.#desired), ...this.#folders, lookUp: lookUps(this.#desired) };
  }

  /** Believes what the kernel holds now: what is wanted and there, and what is marked and nobody's. */
  async #observe(): Promise<void> {
    for (const identity of [...this.#belief.identities()]) {
      if (this.#belief.get(identity)?.kind !== "held") this.#belief.remove(identity);
    }
    for (const { object, marked } of await this.#kernel.read(this.#query())) {
      const wanted = this.#desired.get(identityOfPlanned(object))?.object;
      if (wanted === undefined) {
        if (marked) this.#belief.add(object);
        continue;
      }
      // A stranger's link in the place of ours is not ours to change: creating ours will say so.
      const foreign = wanted.kind === "link" && wanted.spec.type !== "adopted" && !marked;
      if (!foreign) this.#belief.add(comparePlanned(wanted, object) === "none" ? wanted : object);
    }
  }
}

function isOwnHostLink(object: PlannedObject): object is LinkObject {
  return object.kind === "link" && object.netns === hostNetns && object.spec.type !== "adopted";
}
