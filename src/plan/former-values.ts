import {
  type Found,
  hostNetns,
  type Identity,
  identityOf,
  type Kernel,
  type KernelObject,
  linkIdentity,
} from "../kernel/index.ts";
import type { Belief } from "./belief.ts";
import type { Desired } from "./desired.ts";
import type { Step } from "./diff.ts";
import { isUnmarked, type Journal, type JournalEntry } from "./journal.ts";
import { identityOfPlanned, type PlannedObject } from "./object.ts";

/** What a reconciler lends. */
export interface FormerValuesInit {
  readonly kernel: Kernel;
  readonly journal: Journal;
  readonly desired: Desired;
  readonly belief: Belief;
}

/**
 * Sees to what cannot carry weft's mark: its former value is in the journal before it is written, and is
 * put back when nobody wants weft's any more.
 */
export class FormerValues {
  readonly #kernel: Kernel;
  readonly #journal: Journal;
  readonly #desired: Desired;
  readonly #belief: Belief;

  constructor({ kernel, journal, desired, belief }: FormerValuesInit) {
    this.#kernel = kernel;
    this.#journal = journal;
    this.#desired = desired;
    this.#belief = belief;
  }

  /** Makes the former values of what is about to be written durable; what stands in the journal stays. */
  async record(creations: readonly Step[]): Promise<void> {
    // A link that the same change makes is weft's, though nobody believes it there yet.
    const making = new Set<string>();
    for (const { object } of creations) if (isOwnHostLink(object)) making.add(object.name);
    const isOwn = (link: string) => making.has(link) || this.#isOwnLink(link);
    const unrecorded: KernelObject[] = [];
    for (const { object, identity } of creations)
      if (isUnmarked(object, isOwn) && !this.has(identity)) unrecorded.push(object);
    if (unrecorded.length === 0) return;
    const found = await this.#kernel.read({ namespaces: [], lookUp: unrecorded });
    const former = new Map(found.map(({ object }) => [identityOfPlanned(object), object]));
    await this.#journal.record(
      unrecorded.map(
        (object): JournalEntry => ({ object, former: former.get(identityOfPlanned(object)) ?? null }),
      ),
    );
  }

  /** True when a former value is remembered. */
  has(identity: Identity): boolean {
    return this.#journal.get(identity) !== undefined;
  }

  /**
   * What to do in the place of a deletion: put the former value back, when there was one. That a link is up, or a
   * bridge's port, is not weft's doing where nothing is remembered of it, and stays: weft remembers before it writes.
   */
  inPlaceOf(deletion: Step): Step {
    const { object, identity } = deletion;
    if (!this.#isUnmarked(object)) return deletion;
    const entry = this.#journal.get(identity);
    const isState = object.kind === "up" || object.kind === "port";
    const former = entry === undefined && isState ? object : (entry?.former ?? null);
    if (former === null) return deletion;
    return { step: "change", identity, object: former, former: object, effects: [], restores: true };
  }

  /**
   * Looks up what is about to be given up, is not believed to be there, and has a former value. What is there
   * after all is believed, so that it is put back. The former values of the rest are forgotten: who makes something
   * of that name later must not lose it to weft.
   */
  async lookUp(givenUp: readonly Identity[]): Promise<void> {
    const entries = givenUp.flatMap((identity) => {
      const entry = this.#belief.get(identity) === undefined ? this.#journal.get(identity) : undefined;
      return entry === undefined ? [] : [{ identity, object: entry.object }];
    });
    if (entries.length === 0) return;
    const found = await this.#kernel.read({ namespaces: [], lookUp: entries.map(({ object }) => object) });
    const there = new Set(found.map(({ object }) => identityOfPlanned(object)));
    for (const { identity, object } of entries) if (there.has(identity)) this.#belief.add(object);
    const gone = entries.filter(({ identity }) => !there.has(identity));
    if (gone.length > 0) await this.#journal.forget(gone.map(({ identity }) => identity));
  }

  /**
   * Forgets the former values of what was on links of the host that a reading did not find: it went with its link.
   * A link that comes under that name is another, and is to be left as it comes.
   */
  async forgetGoneLinks(found: readonly Found[]): Promise<void> {
    const entries = [...this.#journal.entries()];
    if (entries.length === 0) return;
    const links = new Set<string>();
    for (const { object } of found)
      if (object.kind === "link" && object.netns === hostNetns) links.add(object.name);
    const gone = entries.filter(({ object }) => {
      const link = linkOf(object);
      return link !== undefined && link !== "lo" && !links.has(link);
    });
    if (gone.length > 0) await this.#journal.forget(gone.map(({ object }) => identityOf(object)));
  }

  /** What weft wrote, or was about to write, and nobody wants. */
  unwanted(): readonly KernelObject[] {
    return [...this.#journal.entries()].flatMap(({ object }) =>
      this.#desired.get(identityOfPlanned(object)) === undefined ? [object] : [],
    );
  }

  /** Forgets the former values of what nobody wants and is as it was before. */
  async forget(identities: readonly Identity[]): Promise<void> {
    const done = identities.filter((one) => this.#desired.get(one) === undefined && this.has(one));
    for (const identity of done) this.#belief.remove(identity);
    if (done.length > 0) await this.#journal.forget(done);
  }

  /** Forgets the former values of what was to be made and could not be; before the next try they are looked up again. */
  async forgetUnwritten(creations: readonly Identity[]): Promise<void> {
    const unwritten = creations.filter((one) => this.#belief.get(one) === undefined && this.has(one));
    if (unwritten.length > 0) await this.#journal.forget(unwritten);
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
}

/** The link that what is journaled lives on, if it lives on one. */
function linkOf(object: KernelObject): string | undefined {
  switch (object.kind) {
    case "sysctl":
    case "port":
    case "address":
    case "up":
      return object.link;
    default:
      return undefined;
  }
}

function isOwnHostLink(object: PlannedObject): object is KernelObject & { readonly kind: "link" } {
  return object.kind === "link" && object.netns === hostNetns && object.spec.type !== "adopted";
}
