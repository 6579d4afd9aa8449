import { hostNetns, type Identity, type Kernel, type KernelObject, linkIdentity } from "../kernel/index.ts";
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

  /** What to do in the place of a deletion: put the former value back, when there was one. */
  inPlaceOf(deletion: Step): Step {
    const { object, identity } = deletion;
    const former = this.#isUnmarked(object) ? this.#journal.get(identity)?.former : undefined;
    if (former === undefined || former === null) return deletion;
    return { step: "change", identity, object: former, former: object, effects: [], restores: true };
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

function isOwnHostLink(object: PlannedObject): object is KernelObject & { readonly kind: "link" } {
  return object.kind === "link" && object.netns === hostNetns && object.spec.type !== "adopted";
}
