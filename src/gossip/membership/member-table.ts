import type { Dice } from "../environment.ts";
import { isGone, type MemberRecord } from "./member-record.ts";

/** Every node that is known, the dead too for a while, and the order in which they are probed. */
export class MemberTable {
  readonly #dice: Dice;
  readonly #records = new Map<string, MemberRecord>();
  /** All names in random order: where a newcomer stands is chance too, or it could wait for a whole round. */
  readonly #order: string[] = [];
  #living: readonly MemberRecord[] | undefined;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** How many nodes are known, the dead too: what memberlist's formulae count. */
  get size(): number {
    return this.#records.size;
  }

  get(name: string): MemberRecord | undefined {
    return this.#records.get(name);
  }

  all(): Iterable<MemberRecord> {
    return this.#records.values();
  }

  /** Those that are alive or suspect. */
  living(): readonly MemberRecord[] {
    this.#living ??= [...this.#records.values()].filter((one) => !isGone(one));
    return this.#living;
  }

  /** The one at a place in the order of probes; undefined behind the end. */
  at(index: number): MemberRecord | undefined {
    const name = this.#order[index];
    return name === undefined ? undefined : this.#records.get(name);
  }

  put(record: MemberRecord): void {
    this.#living = undefined;
    if (!this.#records.has(record.name)) {
      const last = this.#order.length;
      this.#order.push(record.name);
      this.#swap(last, this.#dice.below(last + 1));
    }
    this.#records.set(record.name, record);
  }

  /** Drops those that are gone and for which `isOver`, and shuffles the rest. */
  renew(isOver: (record: MemberRecord) => boolean): void {
    const kept = this.#order.filter((name) => {
      const record = this.#records.get(name);
      if (record !== undefined && !(isGone(record) && isOver(record))) return true;
      this.#records.delete(name);
      return false;
    });
    this.#living = undefined;
    this.#order.length = 0;
    for (const name of kept) this.#order.push(name);
    for (let i = this.#order.length - 1; i > 0; i--) this.#swap(i, this.#dice.below(i + 1));
  }

  /**
   * Up to `count` different ones for which `isFit`, by chance. In a large table it draws, and may find fewer than
   * there are; in one that is small for `count` it finds them all, or a few unlucky draws could starve somebody.
   */
  pick(count: number, isFit: (record: MemberRecord) => boolean): readonly MemberRecord[] {
    const size = this.#order.length;
    if (size <= 3 * count) return this.#pickFromFew(count, isFit);
    const picked: MemberRecord[] = [];
    for (let draw = 0; draw < 3 * size && picked.length < count; draw++) {
      const one = this.at(this.#dice.below(size));
      if (one !== undefined && !picked.includes(one) && isFit(one)) picked.push(one);
    }
    return picked;
  }

  #pickFromFew(count: number, isFit: (record: MemberRecord) => boolean): readonly MemberRecord[] {
    const fit = [...this.#records.values()].filter(isFit);
    for (let i = fit.length - 1; i > 0; i--) {
      const j = this.#dice.below(i + 1);
      const [a, b] = [fit[i], fit[j]];
      if (a === undefined || b === undefined) continue;
      fit[i] = b;
      fit[j] = a;
    }
    return fit.slice(0, count);
  }

  #swap(i: number, j: number): void {
    const [a, b] = [this.#order[i], this.#order[j]];
    if (a === undefined || b === undefined) return;
    this.#order[i] = b;
    this.#order[j] = a;
  }
}
