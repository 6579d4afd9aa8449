import { retransmitLimit } from "./formulas.ts";

/** A message that waits to be passed on. */
interface Waiting {
  readonly message: Uint8Array;
  readonly subject: string | undefined;
  readonly finished: (() => void) | undefined;
  /** Counts up; of equals the newer one goes first. */
  readonly id: number;
  transmits: number;
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
    for (const tier of this.#tiers) room = takeFrom(tier, overhead, room, taken);
    this.#count -= taken.length;
    const most = retransmitLimit(this.#mult, nodes);
    const over = taken.filter((one) => !this.#keep(one, most));
    for (const { finished } of over) finished?.(); // last, for they may add
    return taken.map(messageOf);
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

  /** Puts back what was sent once more; tells whether it will be sent again. */
  #keep(one: Waiting, most: number): boolean {
    one.transmits++;
    if (one.transmits < most) {
      this.#insert(one);
      return true;
    }
    if (one.subject !== undefined) this.#bySubject.delete(one.subject);
    return false;
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

/** Moves what fits from a tier to `taken`, the longest first; gives the room that is left. */
function takeFrom(tier: Waiting[], overhead: number, room: number, taken: Waiting[]): number {
  let left = room;
  let read = firstThatFits(tier, left, 0);
  let write = read;
  while (read < tier.length) {
    const one = tier[read];
    if (one !== undefined && one.message.length <= left) {
      taken.push(one);
      left -= one.message.length + overhead;
      read++;
      continue;
    }
    for (const next = firstThatFits(tier, left, read); read < next; read++) {
      const kept = tier[read];
      if (kept !== undefined) tier[write++] = kept;
    }
  }
  tier.length = write;
  return left;
}

/** The first place from `start` on whose message has at most `room` bytes; the end when there is none. */
function firstThatFits(tier: readonly Waiting[], room: number, start: number): number {
  let low = start;
  let high = tier.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = tier[middle];
    if (one !== undefined && one.message.length <= room) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Where `one` is, or would be. */
function placeFor(tier: readonly Waiting[], { message, id }: Waiting): number {
  let low = 0;
  let high = tier.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = tier[middle];
    if (other === undefined) break;
    const difference = other.message.length - message.length;
    if (difference < 0 || (difference === 0 && other.id <= id)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function messageOf({ message }: Waiting): Uint8Array {
  return message;
}
