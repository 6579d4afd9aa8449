/**
 * A number of places for claimants that do not know of each other. Each may have as many as are still
 * free: one alone gets half of all, two that want everything a third each, and whatever some take,
 * there is a place for one more who comes (the dynamic threshold of shared switch buffers, Choudhury
 * and Hahne 1998, with a factor of 1).
 */
export class FairShare<Claimant> {
  readonly #places: number;
  readonly #taken = new Map<Claimant, number>();
  #total = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#total;
  }

  /** How many are free. */
  get left(): number {
    return this.#places - this.#total;
  }

  /** How many places `claimant` has. */
  takenBy(claimant: Claimant): number {
    return this.#taken.get(claimant) ?? 0;
  }

  /** Takes a place; false when `claimant` has as many as are free. */
  take(claimant: Claimant): boolean {
    const own = this.takenBy(claimant);
    if (own >= this.left) return false;
    this.#taken.set(claimant, own + 1);
    this.#total++;
    return true;
  }

  /** Gives one place back. */
  give(claimant: Claimant): void {
    const own = this.takenBy(claimant);
    if (own === 0) return;
    if (own === 1) this.#taken.delete(claimant);
    else this.#taken.set(claimant, own - 1);
    this.#total--;
  }
}
