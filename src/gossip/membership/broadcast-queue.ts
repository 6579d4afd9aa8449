import { retransmitLimit } from "./formulas.ts";

/** A message that waits to be passed on. */
interface Waiting {
  readonly message: Uint8Array;
  readonly subject: string | undefined;
  readonly finished: (() => void) | undefined;
  /** Counts up; of equals the newer one goes first. */
  readonly id: number;
  readonly transmits: number;
}

/** What goes with a message in the queue. */
export interface BroadcastOptions {
  /** What it is about, a node's name: an older message about the same is dropped. */
  readonly subject?: string;
  /** Called once, when it was sent as often as it should be, or was dropped. */
  readonly finished?: () => void;
}

/**
 * Messages on their way to everybody. Those that were sent least often go first, of these the largest that fits,
 * and each is dropped after as many times as are nearly sure to reach all (gossip.md B.9).
 */
export class BroadcastQueue {
  readonly #mult: number;
  /** By how often they were sent; in each the longest first, of equal lengths the newest. */
  readonly #tiers: Waiting[][] = [];
  readonly #bySubject = new Map<string, Waiting>();
  #count = 0;
  #ids = 0;

  /** `mult` is the profile's retransmitMult. */
  constructor(mult: number) {
    this.#mult = mult;
  }

  get length(): number {
    return this.#count;
  }

  add(message: Uint8Array, { subject, finished }: BroadcastOptions = {}): void {
    if (subject !== undefined) {
      const older = this.#bySubject.get(subject);
      if (older !== undefined) this.#drop(older);
    }
    this.#insert({ message, subject, finished, id: this.#ids++, transmits: 0 });
  }

  /** Messages for one packet: at most `limit` bytes, each counted with `overhead` more, in a cluster of `nodes`. */
  take(overhead: number, limit: number, nodes: number): readonly Uint8Array[] {
    if (this.#count === 0) return [];
    const taken: Waiting[] = [];
    let room = limit - overhead;
    for (const tier of this.#tiers) {
      for (let at = firstThatFits(tier, room, 0); at < tier.length; at = firstThatFits(tier, room, at)) {
        const [next] = tier.splice(at, 1);
        if (next === undefined) break;
        taken.push(next);
        room -= next.message.length + overhead;
      }
    }
    this.#count -= taken.length;
    const most = retransmitLimit(this.#mult, nodes);
    for (const one of taken) this.#sent(one, most);
    return taken.map(({ message }) => message);
  }

  /** Drops those that were sent most often until `most` are left. */
  prune(most: number): void {
    for (let tier = this.#tiers.length - 1; tier >= 0 && this.#count > most; tier--) {
      const last = this.#tiers[tier] ?? [];
      while (last.length > 0 && this.#count > most) {
        const one = last[last.length - 1];
        if (one !== undefined) this.#drop(one);
      }
    }
  }

  /** Drops everything. */
  clear(): void {
    this.prune(0);
  }

  #sent(one: Waiting, most: number): void {
    if (one.transmits + 1 < most) {
      this.#insert({ ...one, transmits: one.transmits + 1 });
      return;
    }
    if (one.subject !== undefined && this.#bySubject.get(one.subject) === one)
      this.#bySubject.delete(one.subject);
    one.finished?.();
  }

  #insert(one: Waiting): void {
    while (this.#tiers.length <= one.transmits) this.#tiers.push([]);
    const tier = this.#tiers[one.transmits] ?? [];
    tier.splice(placeFor(tier, one), 0, one);
    if (one.subject !== undefined) this.#bySubject.set(one.subject, one);
    this.#count++;
  }

  #drop(one: Waiting): void {
    const tier = this.#tiers[one.transmits] ?? [];
    const at = placeFor(tier, one);
    if (tier[at] !== one) return;
    tier.splice(at, 1);
    this.#count--;
    if (one.subject !== undefined) this.#bySubject.delete(one.subject);
    one.finished?.();
  }
}

/** The first place from `start` on whose message has at most `room` bytes. */
function firstThatFits(tier: readonly Waiting[], room: number, start: number): number {
  return search(tier, start, (one) => one.message.length <= room);
}

/** Where `one` is, or would be. */
function placeFor(tier: readonly Waiting[], one: Waiting): number {
  const length = one.message.length;
  return search(
    tier,
    0,
    (other) => other.message.length < length || (other.message.length === length && other.id <= one.id),
  );
}

/** The first place from `start` on for which `isSo`; it is so for all that follow. */
function search(tier: readonly Waiting[], start: number, isSo: (one: Waiting) => boolean): number {
  let low = start;
  let high = tier.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = tier[middle];
    if (one !== undefined && isSo(one)) high = middle;
    else low = middle + 1;
  }
  return low;
}
