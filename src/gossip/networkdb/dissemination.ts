import type { Member } from "../cluster.ts";
import { transmitLimit } from "./broadcast-queue.ts";
import type { DbState } from "./db-state.ts";
import type { LocalNetwork } from "./local-network.ts";
import { compoundOverhead, encodeMessage, partOverhead } from "./wire/codec.ts";

/** For so long after coming to a network, its packets say that this node is there: not all know it yet. */
const introductionTime = 5_000;
/** How many packets may be sent before their interval comes, on all networks together in each interval. */
const promptPackets = 48;
/** Of them on one network at a time. */
const packetsPerPrompt = 2;
/** How many messages too long for a packet are sent at a time. */
const streamRoom = { overhead: 0, limit: Number.POSITIVE_INFINITY, most: 2 };
/** How often: streams lose nothing, so less often than packets. */
const longTransmits = 2;

/** Gossips what waits on each network, among the network's members only. */
export class Dissemination {
  readonly #state: DbState;
  readonly #prompted = new Set<LocalNetwork>();
  #promptsLeft = promptPackets;
  #isPromptDue = false;
  #lastPrompt = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(state: DbState) {
    this.#state = state;
  }

  /** Sends what waits; to be called at each interval. */
  tick(): void {
    for (const network of this.#state.networks.values())
      if (network.queued > 0) this.#gossip(network, this.#state.options.packetsPerTick, false);
    this.#promptsLeft = promptPackets;
  }

  /** Sends what is new on a network in a moment, with what else comes until then. */
  prompt(network: LocalNetwork): void {
    this.#prompted.add(network);
    if (this.#isPromptDue) return;
    this.#isPromptDue = true;
    const { options, environment } = this.#state;
    const wait = Math.max(0, this.#lastPrompt + options.promptGap - this.#state.now());
    environment.timers.after(wait, () => this.#sendPrompted());
  }

  stop(): void {
    this.#isStopped = true;
  }

  #sendPrompted(): void {
    this.#isPromptDue = false;
    this.#lastPrompt = this.#state.now();
    for (const network of this.#prompted) {
      this.#prompted.delete(network);
      const isOurs = this.#state.networks.get(network.id) === network;
      if (isOurs && !this.#isStopped && this.#promptsLeft > 0) this.#gossip(network, packetsPerPrompt, true);
    }
  }

  /** Sends up to `packets` packets to some members, each message once; `newOnly`: what was never sent. */
  #gossip(network: LocalNetwork, packets: number, newOnly: boolean): void {
    const { nodes, options, self } = this.#state;
    const others = nodes.activeOn(network.id).filter(({ name }) => name !== self);
    if (others.length === 0) {
      network.dropQueued(); // Whoever comes is sent everything.
      return;
    }
    const peers = this.#state.some(others, options.gossipNodes).flatMap(({ name }) => {
      const member = this.#state.cluster.member(name);
      return member === undefined ? [] : [member];
    });
    for (let i = 0; i < packets; i++) {
      const parts = this.#nextParts(network, newOnly);
      if (parts.length === 0) break;
      const packet = encodeMessage({ kind: "compound", parts });
      for (const peer of peers) this.sendPacket(peer, packet);
    }
    for (const message of network.long.take({ ...streamRoom, newOnly }))
      for (const peer of peers) void this.#sendReliable(peer, message);
    const transmits = transmitLimit(options.retransmitMultiplier, others.length + 1);
    network.own.putBack(transmits);
    network.heard.putBack(transmits);
    network.long.putBack(longTransmits);
  }

  #nextParts(network: LocalNetwork, newOnly: boolean): Uint8Array[] {
    const introduction = this.#introduction(network);
    const left = (parts: readonly Uint8Array[], room: number) =>
      parts.reduce((rest, part) => rest - part.length - partOverhead, room);
    const limit = left(introduction, this.#state.options.packetBytes - compoundOverhead);
    const own = network.own.take({ overhead: partOverhead, limit, newOnly });
    const heard = network.heard.take({ overhead: partOverhead, limit: left(own, limit), newOnly });
    return own.length + heard.length === 0 ? [] : [...introduction, ...own, ...heard];
  }

  /** A member that has not heard yet that this node is on the network would not take its entries. */
  #introduction(network: LocalNetwork): Uint8Array[] {
    if (this.#state.now() - network.announcedAt > introductionTime) return [];
    const time = this.#state.nodes.get(this.#state.self)?.attachments.get(network.id)?.time;
    if (time === undefined) return [];
    return [
      encodeMessage({ kind: "network", change: "join", time, node: this.#state.self, network: network.id }),
    ];
  }

  /** By a stream, if membership's packets are shorter than ours were set to be. Never throws. */
  sendPacket(peer: Member, packet: Uint8Array): void {
    const { cluster, counters } = this.#state;
    this.#promptsLeft--;
    counters.packetsSent++;
    counters.bytesSent += packet.length;
    try {
      cluster.sendPacket(peer, packet);
    } catch {
      counters.sendFailures++;
      void this.#sendReliable(peer, packet);
    }
  }

  async #sendReliable(peer: Member, message: Uint8Array): Promise<void> {
    try {
      await this.#state.cluster.sendReliable(peer, message);
    } catch {
      this.#state.counters.sendFailures++;
    }
  }
}
