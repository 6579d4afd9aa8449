import { type Identity, takesAlong } from "../kernel/index.ts";
import { containersOfPlanned, identityOfPlanned, type PlannedObject, providesOf } from "./object.ts";

const nothing: ReadonlySet<Identity> = new Set();

/**
 * What is there, as far as we know: what the last reading found and what was done since. Kernel objects
 * go with what they live in; a held object stays held until it is given back.
 */
export class Belief {
  readonly #objects = new Map<Identity, PlannedObject>();
  /** For an identity that comes with another object (a veth's far end): that object's identity. */
  readonly #providers = new Map<Identity, Identity>();
  readonly #children = new Map<Identity, Set<Identity>>();

  /** The object of that identity, as it is believed to be. */
  get(identity: Identity): PlannedObject | undefined {
    return this.#objects.get(identity);
  }

  /** Everything that is believed to be there. */
  identities(): Iterable<Identity> {
    return this.#objects.keys();
  }

  /** The identity of the object that brings `identity` along; `identity` itself for most. */
  providerOf(identity: Identity): Identity {
    return this.#providers.get(identity) ?? identity;
  }

  /** Believes that the object is there, in the place of one of its identity. */
  add(object: PlannedObject): void {
    const identity = identityOfPlanned(object);
    // The former value may have lived elsewhere: a route on another link.
    this.#removeOne(identity);
    this.#objects.set(identity, object);
    for (const provided of providesOf(object)) this.#providers.set(provided, identity);
    for (const container of containersOfPlanned(object)) {
      const children = this.#children.get(container);
      if (children === undefined) this.#children.set(container, new Set([identity]));
      else children.add(identity);
    }
  }

  /** Forgets an object and all kernel objects that go along with it. */
  remove(identity: Identity): void {
    const object = this.#objects.get(identity);
    if (object === undefined || object.kind === "held" || takesAlong(object))
      for (const inside of this.inside(identity))
        if (this.#objects.get(inside)?.kind !== "held") this.#removeOne(inside);
    this.#removeOne(identity);
  }

  /**
   * Believes that of the kernel's objects exactly these are there, or of those that `concerned` says. What
   * is held stays.
   */
  replaceKernelObjects(
    objects: Iterable<PlannedObject>,
    concerned: (object: PlannedObject) => boolean = () => true,
  ): void {
    for (const [identity, object] of [...this.#objects])
      if (object.kind !== "held" && concerned(object)) this.#removeOne(identity);
    for (const object of objects) this.add(object);
  }

  #removeOne(identity: Identity): void {
    const object = this.#objects.get(identity);
    if (object === undefined) return;
    this.#objects.delete(identity);
    for (const provided of providesOf(object))
      if (this.#providers.get(provided) === identity) this.#providers.delete(provided);
    for (const container of containersOfPlanned(object)) {
      const children = this.#children.get(container);
      children?.delete(identity);
      if (children?.size === 0) this.#children.delete(container);
    }
  }

  /** Everything that lives in the object, directly or not, once each. */
  inside(identity: Identity): ReadonlySet<Identity> {
    if (!this.#objects.has(identity) && !this.#children.has(identity)) return nothing;
    const found = new Set<Identity>();
    const visit = (one: Identity) => {
      const object = this.#objects.get(one);
      const names = object === undefined ? [one] : [one, ...providesOf(object)];
      for (const name of names) {
        for (const child of this.#children.get(name) ?? []) {
          if (found.has(child)) continue;
          found.add(child);
          visit(child);
        }
      }
    };
    visit(identity);
    return found;
  }
}
