interface Broadcast {
  readonly bytes: Uint8Array;
}

interface Given {
  readonly name: string;
  readonly broadcast: Broadcast;
  /** How often it was given out before. */
  readonly tier: number;
}

/** What is wanted for one packet. */
export interface Room {
  /** Counted with each message besides its own bytes. */
  readonly overhead: number;
  /** For all of them, bytes. */
  readonly limit: number;
  /** How many messages at most; as many as fit without. */
  readonly most?: number;
  /** Only what was never given out. */
  readonly newOnly?: boolean;
}

/** How many that do not fit a packet are passed over before the packet is called full. */
const maxMisses = 100;

/**
 * Encoded messages that wait to be gossiped. Each is given out so often, then dropped; those given out least
 * often come first, and of them the oldest. A newer message of a name takes the place of the older one.
 */
export class BroadcastQueue {
  /** By how often they were given out, then by name, in the order in which they came. */
  readonly #tiers: Map<string, Broadcast>[] = [];
  readonly #tierOf = new Map<string, number>();
  /** In this round. */
  readonly #given: Given[] = [];
  readonly #capacity: number;

  /** @param capacity how many may wait; for one more, one that was given out most often is dropped. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#tierOf.size;
  }

  /** Adds a message. Gives false when another had to be dropped for it. */
  add(name: string, bytes: Uint8Array): boolean {
    this.remove(name);
    const dropped = this.size >= this.#capacity && this.#dropOne();
    this.#put(name, { bytes }, 0);
    return !dropped;
  }

  remove(name: string): void {
    const tier = this.#tierOf.get(name);
    if (tier === undefined) return;
    this.#tiers[tier]?.delete(name);
    this.#tierOf.delete(name);
  }

  clear(): void {
    this.#tiers.length = 0;
    this.#tierOf.clear();
  }

  /** Messages for one packet. Each is given out once only until {@link putBack} ends the round. */
  take({ overhead, limit, most = Number.POSITIVE_INFINITY, newOnly = false }: Room): Uint8Array[] {
    const taken: Given[] = [];
    let left = limit;
    let misses = 0;
    search: for (const [tier, broadcasts] of this.#tiers.entries())
      for (const [name, broadcast] of broadcasts) {
        const cost = broadcast.bytes.length + overhead;
        const isFull = left <= overhead || misses > maxMisses || taken.length >= most;
        if (isFull || (newOnly && tier > 0)) break search;
        if (cost > left) {
          misses++;
          continue;
        }
        left -= cost;
        taken.push({ name, broadcast, tier });
      }
    for (const given of taken) {
      this.remove(given.name);
      this.#given.push(given);
    }
    return taken.map(({ broadcast }) => broadcast.bytes);
  }

  /** Ends a round: what was given out waits again, unless that was the last of `transmits` times. */
  putBack(transmits: number): void {
    for (const { name, broadcast, tier } of this.#given.splice(0))
      if (tier + 1 < transmits && !this.#tierOf.has(name)) this.#put(name, broadcast, tier + 1);
  }

  #put(name: string, broadcast: Broadcast, tier: number): void {
    while (this.#tiers.length <= tier) this.#tiers.push(new Map());
    this.#tiers[tier]?.set(name, broadcast);
    this.#tierOf.set(name, tier);
  }

  #dropOne(): boolean {
    const last = this.#tiers.findLast((tier) => tier.size > 0);
    for (const name of last?.keys() ?? []) {
      this.remove(name);
      return true;
    }
    return false;
  }
}

/** How often a message is given out, memberlist's formula: so that with gossip's randomness all hear of it. */
export function transmitLimit(multiplier: number, nodes: number): number {
  return multiplier * Math.ceil(Math.log10(nodes + 1));
}
