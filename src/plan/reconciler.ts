import { Events, KeyedLock, messageOf, throwAll, WeftError } from "../core/index.ts";
import type { Effect } from "../kernel/index.ts";
import { hostNetns, type Identity, isHostRule, type Kernel, type KernelQuery } from "../kernel/index.ts";
import { Belief } from "./belief.ts";
import { type Applied, Departures, type ReconcilerEvent } from "./departures.ts";
import { type Changes, Desired, type Proposal } from "./desired.ts";
import { diff, type Step, type StepList } from "./diff.ts";
import { believable, type Drift, driftOf, lookUps, namespacesOf, type Wants } from "./drift.ts";
import { Executor, type Failure, type OnFailure, type RunResult } from "./executor.ts";
import { FormerValues } from "./former-values.ts";
import { wantWhatIsLeft, withGivenUp } from "./given-up.ts";
import { effectsOfGone, goingOf, nothingGoing } from "./going.ts";
import { type HeldHandler, handlerOf } from "./held.ts";
import type { Journal } from "./journal.ts";
import {
  comparePlanned,
  containersOfPlanned,
  identitiesWith,
  identityOfPlanned,
  type OwnerId,
  providesOf,
} from "./object.ts";
import { deletionRankOfObject, type Ranks, rankOfObject, withdrawnFromRank } from "./rank.ts";
import { Removals } from "./removals.ts";

/** What a reconciler is made of. */
export interface ReconcilerInit {
  readonly kernel: Kernel;
  readonly journal: Journal;
  readonly held: readonly HeldHandler[];
  /** Folders in which everything is weft's: namespaces, and files of sandboxes. */
  readonly netnsFolder?: string;
  readonly fileFolder?: string;
}

/** What a start or a repair says besides what is wanted. */
export interface SyncOptions {
  /** Owners whose effects run although their objects are there: a crash may have been between. */
  readonly again?: ReadonlySet<OwnerId>;
  /**
   * What owners wanted that have given all of it up, while it was perhaps not removed: a crash came, or the
   * kernel refused. Each is taken down as {@link Reconciler.takeDown} does; nothing of it is made again.
   */
  readonly givenUp?: readonly Changes[];
}

/** What a sync left to be done. */
export interface Synced extends Applied {
  readonly failures: readonly Failure[];
  /**
   * What is wanted and is still not as it is wanted: what failed, and, untold in `failures`, what lives in that. And
   * what nobody wants, when not all of that could be removed.
   */
  readonly unmended: readonly Identity[];
  /** For each of what was given up, in its order. */
  readonly takenDown: readonly Applied[];
}

/** What a run did, and what it left for the background. */
interface Run extends RunResult {
  readonly background: readonly Step[];
}

/**
 * Makes the host hold what its owners want. The only thing in weft that changes the host. Changes are
 * made one after the other; what they give up is withdrawn at once and removed in the background.
 */
export class Reconciler {
  readonly events = new Events<ReconcilerEvent>();
  readonly #kernel: Kernel;
  readonly #handlers: ReadonlyMap<string, HeldHandler>;
  readonly #folders: Pick<KernelQuery, "netnsFolder" | "fileFolder">;
  readonly #desired = new Desired();
  readonly #belief = new Belief();
  readonly #formers: FormerValues;
  readonly #executor: Executor;
  readonly #removals: Removals;
  readonly #lock = new KeyedLock();
  readonly #departures: Departures;

  constructor({ kernel, journal, held, netnsFolder, fileFolder }: ReconcilerInit) {
    this.#kernel = kernel;
    this.#handlers = new Map(held.map((handler) => [handler.type, handler]));
    this.#folders = { netnsFolder, fileFolder };
    this.#formers = new FormerValues({ kernel, journal, desired: this.#desired, belief: this.#belief });
    this.#executor = new Executor(kernel, this.#handlers, this.#belief);
    this.#removals = new Removals(kernel, deletionRankOfObject);
    this.#departures = new Departures({
      kernel,
      belief: this.#belief,
      removals: this.#removals,
      events: this.events,
    });
  }

  /** What each owner wants; for those who show it. */
  get desired(): Pick<Desired, "get" | "wantedBy" | "owners" | "identities"> {
    return this.#desired;
  }

  /** What is believed to be there: of the kernel's objects those that concern weft, and what is held. */
  get belief(): Pick<Belief, "get" | "identities"> {
    return this.#belief;
  }

  /**
   * Lets owners want something else, and makes it so. When anything is refused, all of the change is
   * taken back and the refusal is thrown. Throws OBJECT_CONFLICT before anything was done when two
   * owners want different values of one object.
   */
  change(changes: Changes): Promise<Applied> {
    return this.#locked(async () => {
      const proposal = this.#desired.propose(changes);
      await this.#formers.lookUp(givenUpBy(proposal));
      const going = goingOf(proposal, this.#desired, this.#belief);
      const steps = await this.#prepared(this.#diffOf(proposal));
      const undo = this.#desired.accept(proposal);
      const run = await this.#run(steps, "stop");
      const [failure] = run.failures;
      if (failure !== undefined) {
        const left = await this.#takeBack(undo, steps, run.unsure);
        throw left.length === 0 ? failure.error : notTakenBack(failure.error, left);
      }
      await this.#departures.effects([...run.effects, ...effectsOfGone(going, this.#belief)]);
      return this.#departures.begin(run.background, [], going);
    });
  }

  /**
   * Like {@link change}, for taking things down: goes on past failures and reports all of them through
   * {@link Applied.removed}, for there is no way back.
   */
  takeDown(changes: Changes): Promise<Applied> {
    return this.#locked(() => this.#takeDown(changes));
  }

  /** The steps that {@link change} would take now; nothing is done. */
  plan(changes: Changes): Promise<readonly Step[]> {
    return this.#locked(async () => {
      const { deletions, creations } = this.#diffOf(this.#desired.propose(changes));
      return [...deletions.map((step) => this.#formers.inPlaceOf(step)), ...creations];
    });
  }

  /** Lets owners want something without making it so, as a start does before its {@link sync}. Throws OBJECT_CONFLICT. */
  stage(changes: Changes): void {
    this.#desired.accept(this.#desired.propose(changes));
  }

  /**
   * {@link stage} while others work: what `changes` gives once all that was asked for before is made or taken down. Until
   * then owners may still want what they are giving up.
   */
  stageInTurn(changes: () => Changes): Promise<void> {
    return this.#locked(async () => this.stage(changes()));
  }

  /**
   * Reads the host and makes it hold what is wanted, going on past failures: they are returned, with the
   * step that met them, and leftovers that stay reject `removed`. What is right already is not touched; weft's
   * marks that nobody wants are removed.
   */
  sync({ again = new Set(), givenUp = [] }: SyncOptions = {}): Promise<Synced> {
    return this.#locked(async () => {
      await this.#departures.effects(await this.#observe(givenUp));
      const takenDown: Applied[] = [];
      // Before anything is made: it may be in the way.
      for (const changes of givenUp) {
        const nothing = new Map([...changes.keys()].map((owner) => [owner, []]));
        takenDown.push(await this.#takeDown(nothing).catch(nothingRemoved));
      }
      for (const object of this.#formers.unwanted()) this.#belief.add(object);
      const wantedOf = (one: Identity) => this.#desired.get(one);
      const unwanted = [...this.#belief.identities()].filter((one) => wantedOf(one) === undefined);
      const identities = [...this.#desired.identities(), ...unwanted];
      const steps = await this.#prepared(diff(identities, wantedOf, this.#belief, this.#ranks));
      const { failures, effects, background, unsure } = await this.#run(steps, "continue");
      if (!unsure) await this.#formers.forgetUnwritten(identitiesOfSteps(steps.creations));
      const repeated = [...again].flatMap((owner) => this.#desired.wantedBy(owner));
      await this.#departures.effects([
        ...new Set([...effects, ...repeated.flatMap((one) => one.effects ?? [])]),
      ]);
      const { removed } = this.#departures.begin(background, [], nothingGoing);
      // What goes wrong is told as an event, and to whoever asks for it.
      const left = await removed.then(
        () => [],
        () => [...identitiesOfSteps(background), ...steps.implied].filter((one) => !wantedOf(one)),
      );
      return { failures, unmended: [...this.#unmet(), ...left], removed, takenDown };
    });
  }

  /**
   * {@link sync} for the host's rule set alone, which costs little however many sandboxes there are. Gives
   * what was put right. Throws KernelError when the rules cannot be read.
   */
  syncRules(): Promise<{ readonly mended: readonly Identity[]; readonly failures: readonly Failure[] }> {
    return this.#locked(async () => {
      const found = await this.#kernel.read({ namespaces: [hostNetns], lookUp: [], only: "rules" });
      this.#belief.replaceKernelObjects(believable(this.#desired, found), isHostRule);
      const identities = [...this.#desired.identities(), ...this.#belief.identities()].filter((one) => {
        const object = this.#desired.get(one)?.object ?? this.#belief.get(one);
        return object !== undefined && isHostRule(object);
      });
      const wantedOf = (one: Identity) => this.#desired.get(one);
      const steps = diff(new Set(identities), wantedOf, this.#belief, this.#ranks);
      const { failures, effects } = await this.#executor.run(
        [...steps.deletions, ...steps.creations],
        "continue",
      );
      await this.#departures.effects(effects);
      const failed = new Set(failures.map(({ step }) => step));
      const done = [...steps.deletions, ...steps.creations].filter((step) => !failed.has(step));
      return { mended: identitiesOfSteps(done), failures };
    });
  }

  /** Where the host differs from what is wanted. Held objects are not among it: they cannot be read. */
  drift(): Promise<readonly Drift[]> {
    return this.#locked(async () => {
      await this.#removals.idle();
      return driftOf(this.#desired, await this.#kernel.read(this.#query(this.#desired)));
    });
  }

  /** Resolves when nothing is on its way out any more. */
  idle(): Promise<void> {
    return this.#departures.idle();
  }

  /** Gives back everything held and lets go of the kernel; what is in the kernel stays. */
  async close(): Promise<void> {
    await this.#locked(async () => {
      await this.idle();
      const objects = [...this.#belief.identities()].map((one) => this.#belief.get(one));
      const held = objects.filter((one) => one?.kind === "held");
      const errors: unknown[] = [];
      for (const object of held.sort((a, b) => this.#ranks.deletion(b) - this.#ranks.deletion(a))) {
        await handlerOf(this.#handlers, object)
          .release(object)
          .catch((error: unknown) => errors.push(error));
        this.#belief.remove(identityOfPlanned(object));
      }
      this.#kernel.close();
      throwAll("close", errors);
    });
  }

  #locked<T>(task: () => Promise<T>): Promise<T> {
    return this.#lock.run("host", task);
  }

  readonly #ranks: Ranks = {
    creation: (one) => (one.kind === "held" ? handlerOf(this.#handlers, one).rank : rankOfObject(one)),
    deletion: (one) =>
      one.kind === "held" ? handlerOf(this.#handlers, one).rank : deletionRankOfObject(one),
  };

  #diffOf({ entries }: Proposal): StepList {
    const wantedOf = (one: Identity) =>
      entries.get(one) ?? (entries.has(one) ? undefined : this.#desired.get(one));
    return diff(entries.keys(), wantedOf, this.#belief, this.#ranks);
  }

  async #takeDown(changes: Changes): Promise<Applied> {
    const proposal = this.#desired.propose(changes);
    await this.#formers.lookUp(givenUpBy(proposal));
    const going = goingOf(proposal, this.#desired, this.#belief);
    const steps = await this.#prepared(this.#diffOf(proposal));
    this.#desired.accept(proposal);
    const run = await this.#run(steps, "continue");
    if (run.unsure) await this.#lookAgain();
    await this.#departures.effects([...run.effects, ...effectsOfGone(going, this.#belief)]);
    return this.#departures.begin(run.background, errorsOf(run.failures), going);
  }

  /** Waits for removals in the way, journals what cannot be marked, and puts back instead of deleting. */
  async #prepared(steps: StepList): Promise<StepList> {
    await this.#removals.waitFor(identitiesNeeded(steps.creations));
    await this.#formers.record(steps.creations);
    return { ...steps, deletions: steps.deletions.map((step) => this.#formers.inPlaceOf(step)) };
  }

  /** Withdraws, and then makes. What may wait is left for the background, and believed there until then. */
  async #run({ deletions, creations }: StepList, onFailure: OnFailure): Promise<Run> {
    const inTheWay = new Set<Identity>();
    if (deletions.length > 0)
      for (const { object } of creations) for (const one of identitiesWith(object)) inTheWay.add(one);
    const mayWait = ({ step, object, identity }: Step) =>
      step === "delete" &&
      object.kind !== "held" &&
      this.#ranks.deletion(object) < withdrawnFromRank &&
      !this.#formers.has(identity) &&
      !identitiesWith(object).some((one) => inTheWay.has(one));
    // Asked once: what is put back is forgotten below, and then nothing tells it from the rest.
    const background = new Set(deletions.filter(mayWait));
    const now = deletions.filter((step) => !background.has(step));
    const result = await this.#executor.run([...now, ...creations], onFailure);
    const failed = new Set(result.failures.map(({ step }) => step));
    const stopped = onFailure === "stop" && failed.size > 0;
    // What was not reached when it stopped is looked after by taking the change back.
    if (!stopped) await this.#formers.forget(identitiesOfSteps(now.filter((step) => !failed.has(step))));
    return { ...result, background: [...background] };
  }

  /** Wants again what was wanted before, and waits until what had been made is gone. */
  async #takeBack(undo: Changes, steps: StepList, unsure: boolean): Promise<readonly unknown[]> {
    if (unsure) await this.#lookAgain();
    const proposal = this.#desired.propose(undo);
    const going = goingOf(proposal, this.#desired, this.#belief);
    this.#desired.accept(proposal);
    const { failures, background } = await this.#run(
      await this.#prepared(this.#diffOf(proposal)),
      "continue",
    );
    await this.#departures.effects(effectsOfGone(going, this.#belief));
    const left = await this.#departures.begin(background, errorsOf(failures), going).removed.then(
      () => [],
      (error: unknown) => [error],
    );
    // What was journaled and then not written, or put back.
    const journaled = identitiesOfSteps(steps.creations);
    await this.#formers.forget(journaled.filter((one) => this.#belief.get(one) === undefined));
    return left;
  }

  #query(wants: Wants): KernelQuery {
    const namespaces = namespacesOf(wants);
    const query = { namespaces, ...this.#folders, lookUp: lookUps(wants) };
    if (wants === this.#desired) return query;
    const wanted = new Set(namespacesOf(this.#desired));
    return { ...query, givenUp: new Set(namespaces.filter((netns) => !wanted.has(netns))) };
  }

  /**
   * Believes what the kernel holds now, once nothing is on its way out. Owners want of what they gave up
   * what is left of it; what has gone of it leads to the effects that this gives.
   */
  async #observe(givenUp: readonly Changes[] = []): Promise<readonly Effect[]> {
    await this.#removals.idle();
    const wants = withGivenUp(this.#desired, givenUp);
    const found = await this.#kernel.read(this.#query(wants));
    this.#belief.replaceKernelObjects(believable(wants, found));
    await this.#formers.forgetGoneLinks(found);
    return wantWhatIsLeft(this.#desired, this.#belief, givenUp, found);
  }

  /** What is wanted and not believed to be so. */
  #unmet(): readonly Identity[] {
    return [...this.#desired.identities()].filter((identity) => {
      const wanted = this.#desired.get(identity)?.object;
      const is = this.#belief.get(identity);
      if (wanted === undefined || wanted === is) return false;
      return is === undefined || comparePlanned(wanted, is) !== "none";
    });
  }

  /** After the kernel broke off: what it did is found out, as far as it can be. */
  async #lookAgain(): Promise<void> {
    await this.#observe().catch(() => {}); // it is still broken: what broke it is thrown already
  }
}

/** What nobody would want any more. */
function givenUpBy({ entries }: Proposal): readonly Identity[] {
  return [...entries].flatMap(([identity, wanted]) => (wanted === undefined ? [identity] : []));
}

/** What has to be out of the way, or there, before those can be made. */
function* identitiesNeeded(creations: readonly Step[]): Iterable<Identity> {
  for (const { identity, object } of creations) {
    yield identity;
    yield* providesOf(object);
    yield* containersOfPlanned(object);
  }
}

function errorsOf(failures: readonly Failure[]): readonly unknown[] {
  return failures.map(({ error }) => error);
}

function identitiesOfSteps(steps: readonly Step[]): readonly Identity[] {
  return steps.map(({ identity }) => identity);
}

/** What a taking down comes to that could not be begun. */
function nothingRemoved(error: unknown): Applied {
  const removed = Promise.reject(error);
  removed.catch(() => {}); // whoever waits for it hears of it
  return { removed };
}

/** A refusal after which something that was made meanwhile stays: whoever owns it must not give it up yet. */
function notTakenBack(refusal: unknown, left: readonly unknown[]): WeftError {
  const words = left.map(messageOf).join("; ");
  return new WeftError("TEARDOWN", `${messageOf(refusal)}; taking it back failed: ${words}`, {
    cause: refusal,
  });
}
