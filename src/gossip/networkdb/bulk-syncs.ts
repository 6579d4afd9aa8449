import type { DbState } from "./db-state.ts";
import { eventOf } from "./entry.ts";
import type { LocalNetwork } from "./local-network.ts";
import type { BulkSync } from "./messages.ts";
import { Turns } from "./turns.ts";
import { encodeMessage, partOverhead } from "./wire/codec.ts";

/** How many bulk syncs this node asks for, and how many it answers, at a time. */
const maxAsking = 16;
const maxAnswering = 8;
/** How long the others that were asked on coming to a network may take after the first, ms. */
const grace = 500;
/** How many of those that returned from failure at about the same time are asked, and within what time, ms. */
const returnedPeers = 3;
const returnedWithin = 1_000;
/**
 * Between two answers to one peer, ms: so much, and as long as the first would take at this rate (10 MB/s).
 * A request is short and its answer long, so that a flood of requests costs little here.
 */
const leastPause = 50;
const bytesPerMs = 10_000;
/** Within what time members are asked that come to a network after this node, ms. */
const comingWithin = 500;

interface Waiter {
  readonly peer: string;
  readonly networks: readonly string[];
  answered: (isAnswered: boolean) => void;
  /** A piece came, so the rest may take its time once more. */
  progressed: () => void;
}

/**
 * Compares all entries of a network with those of another member: each side sends what it has, and takes what
 * is later. A table goes in pieces, of which the last alone names the networks: peers of the reference read
 * names only in requests, and weft's thereby know when the answer is complete.
 */
export class BulkSyncs {
  readonly #state: DbState;
  readonly #waiters = new Set<Waiter>();
  readonly #asking = new Turns(maxAsking);
  readonly #answering = new Turns(maxAnswering);
  /** What peers have asked for and were not yet begun to be answered. */
  readonly #asked = new Map<string, Set<string>>();
  readonly #busy = new Set<string>();
  readonly #returned = new Set<string>();
  readonly #coming = new Set<string>();
  #isComparing = false;
  #isStopped = false;

  constructor(state: DbState) {
    this.#state = state;
  }

  /** Ends what is under way, as not answered. */
  stop(): void {
    this.#isStopped = true;
    for (const waiter of this.#waiters) waiter.answered(false);
  }

  /**
   * Asks some members of a network at once, and others in the place of those that do not answer. Resolves when
   * one has answered and the others have or had a moment for it, or when nobody answers. Never rejects.
   */
  async comeTo(network: LocalNetwork): Promise<void> {
    const peers = this.#state.some(this.#peersOn(network.id), Number.POSITIVE_INFINITY);
    if (peers.length === 0 || network.isSyncing) return;
    network.isSyncing = true;
    try {
      await this.#firstAnswers(network, peers);
    } finally {
      network.isSyncing = false;
    }
  }

  /** A network may have a member now: if this node never exchanged entries on it, it does so in a moment. */
  memberCame(id: string): void {
    if (!this.#isUnsynced(id) || this.#coming.has(id)) return;
    this.#coming.add(id);
    const { timers, dice } = this.#state.environment;
    timers.after(dice.fraction() * comingWithin, () => {
      this.#coming.delete(id);
      // The newcomer may have asked meanwhile.
      const network = this.#state.networks.get(id);
      if (network !== undefined && this.#isUnsynced(id)) void this.comeTo(network);
    });
  }

  #isUnsynced(id: string): boolean {
    const network = this.#state.networks.get(id);
    return network !== undefined && !network.hasSynced && !network.isSyncing && this.#peersOn(id).length > 0;
  }

  /** Asks one random member of each network, or a second one when that does not answer. Never rejects. */
  async compare(): Promise<void> {
    if (this.#isComparing) return;
    this.#isComparing = true;
    try {
      const rest = new Set(this.#state.networks.keys());
      for (const network of this.#state.some([...rest], rest.size)) {
        if (!rest.has(network)) continue;
        for (const peer of this.#state.some(this.#peersOn(network), 2)) {
          const common = this.#commonNetworks(peer);
          if (!(await this.#ask(peer, common))) continue;
          for (const done of common) rest.delete(done);
          break;
        }
      }
    } finally {
      this.#isComparing = false;
    }
  }

  /** A failed node is back: what was written meanwhile on either side is exchanged soon, with some of such. */
  returned(peer: string): void {
    this.#returned.add(peer);
    if (this.#returned.size > 1) return;
    const { timers, dice } = this.#state.environment;
    timers.after(dice.fraction() * returnedWithin, () => {
      const peers = this.#state.some([...this.#returned], returnedPeers);
      this.#returned.clear();
      for (const name of peers) void this.#ask(name, this.#commonNetworks(name));
    });
  }

  /** To be called once the payload of a message was taken in. */
  received({ node, networks, unsolicited }: BulkSync): void {
    for (const id of networks) {
      const network = this.#state.networks.get(id);
      if (network !== undefined && this.#state.nodes.isOn(node, id)) network.hasSynced = true;
    }
    if (unsolicited) this.#answer(node, networks);
    else
      for (const waiter of this.#waiters) {
        if (waiter.peer !== node) continue;
        if (waiter.networks.every((network) => networks.includes(network))) waiter.answered(true);
        else waiter.progressed();
      }
  }

  #peersOn(network: string): string[] {
    const { nodes, self } = this.#state;
    return nodes.activeOn(network).flatMap(({ name }) => (name === self ? [] : [name]));
  }

  #commonNetworks(peer: string): string[] {
    return [...this.#state.networks.keys()].filter((network) => this.#state.nodes.isOn(peer, network));
  }

  #firstAnswers(network: LocalNetwork, peers: string[]): Promise<void> {
    return new Promise((resolve) => {
      const askUntilOne = async () => {
        for (let peer = peers.pop(); peer !== undefined; peer = peers.pop())
          if (await this.#ask(peer, [network.id])) {
            this.#state.environment.timers.after(grace, resolve);
            return;
          }
      };
      const asked = Array.from({ length: this.#state.options.joinSyncPeers }, askUntilOne);
      void Promise.all(asked).then(() => resolve());
    });
  }

  /** One exchange with a peer. Resolves to whether it answered. */
  async #ask(peer: string, networks: readonly string[]): Promise<boolean> {
    if (networks.length === 0) return false;
    return this.#asking.run(async () => {
      if (this.#isStopped) return false;
      const { counters } = this.#state;
      counters.bulkSyncs++;
      const answer = this.#answerFrom(peer, networks);
      const { isSent } = await this.#send(peer, networks, true);
      const isAnswered = isSent && (await answer.within(this.#state.options.bulkSyncTimeout));
      answer.forget();
      if (!isAnswered) counters.bulkSyncFailures++;
      return isAnswered;
    });
  }

  /** The peer's answer may come while the last part of the request is still being sent. */
  #answerFrom(peer: string, networks: readonly string[]) {
    const waiter: Waiter = { peer, networks, answered: () => {}, progressed: () => {} };
    const answer = new Promise<boolean>((resolve) => {
      waiter.answered = resolve;
    });
    this.#waiters.add(waiter);
    return {
      within: (timeout: number): Promise<boolean> => {
        let cancel = () => {};
        waiter.progressed = () => {
          cancel();
          cancel = this.#state.environment.timers.after(timeout, () => waiter.answered(false));
        };
        waiter.progressed();
        return answer.finally(() => cancel());
      },
      forget: () => this.#waiters.delete(waiter),
    };
  }

  /** Each peer is answered one request at a time; what it asks for meanwhile is answered together. */
  #answer(peer: string, networks: readonly string[]): void {
    const asked = this.#asked.get(peer);
    if (asked !== undefined) {
      for (const network of networks) if (asked.size < this.#state.options.maxNetworks) asked.add(network);
      return;
    }
    this.#asked.set(peer, new Set(networks.slice(0, this.#state.options.maxNetworks)));
    if (!this.#busy.has(peer)) void this.#answerAll(peer);
  }

  async #answerAll(peer: string): Promise<void> {
    this.#busy.add(peer);
    while (this.#asked.has(peer)) {
      const { bytes } = await this.#answering.run(() => {
        const networks = [...(this.#asked.get(peer) ?? [])];
        this.#asked.delete(peer);
        return this.#send(peer, networks, false);
      });
      await this.#pause(leastPause + bytes / bytesPerMs);
    }
    this.#busy.delete(peer);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#state.environment.timers.after(ms, resolve);
    });
  }

  /** Sends what this node has of the networks. Resolves to how much, and whether that was all. */
  async #send(peer: string, networks: readonly string[], unsolicited: boolean) {
    const { cluster, tableClock, self, counters } = this.#state;
    let bytes = 0;
    try {
      for (const { parts, isLast } of this.#pieces(networks)) {
        const member = cluster.member(peer);
        if (member === undefined || this.#isStopped) return { bytes, isSent: false };
        const payload = encodeMessage({ kind: "compound", parts });
        const head = { kind: "bulk-sync", time: tableClock.time, node: self, payload } as const;
        const tail = isLast ? { unsolicited, networks } : { unsolicited: false, networks: [] };
        const message = encodeMessage({ ...head, ...tail });
        bytes += message.length;
        counters.syncBytesSent += message.length;
        await cluster.sendReliable(member, message);
      }
      return { bytes, isSent: true };
    } catch {
      counters.sendFailures++;
      return { bytes, isSent: false };
    }
  }

  /** Who is on the networks, then their entries; what is written meanwhile may or may not be among them. */
  *#pieces(ids: readonly string[]): Generator<{ parts: Uint8Array[]; isLast: boolean }> {
    let parts: Uint8Array[] = [];
    let bytes = 0;
    for (const part of this.#parts(ids)) {
      if (parts.length > 0 && bytes + part.length > this.#state.options.bulkSyncPieceBytes) {
        yield { parts, isLast: false };
        parts = [];
        bytes = 0;
      }
      parts.push(part);
      bytes += part.length + partOverhead;
    }
    yield { parts, isLast: true };
  }

  *#parts(ids: readonly string[]): Generator<Uint8Array> {
    const networks = ids.flatMap((id) => this.#state.networks.get(id) ?? []);
    // An entry is taken only when its owner is known to be on the network.
    for (const { leaving, ...rest } of this.#state.nodes.attachmentsOf(networks.map(({ id }) => id)))
      yield encodeMessage({ kind: "network", change: leaving ? "leave" : "join", ...rest });
    for (const { id, tables } of networks)
      for (const [place, entry] of tables.all()) {
        const event = eventOf({ network: id, ...place }, entry, this.#state.now());
        if (event !== undefined) yield encodeMessage(event);
      }
  }
}
