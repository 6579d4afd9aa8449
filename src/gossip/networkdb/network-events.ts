import type { Allowance } from "./allowance.ts";
import type { DbState } from "./db-state.ts";
import type { NetworkEvent, PushPull } from "./messages.ts";
import { maxQueuedFromSync } from "./options.ts";
import type { TableEvents } from "./table-events.ts";
import { encodeMessage } from "./wire/codec.ts";

/** Who comes to networks and who leaves them: this node, and what it hears of others. */
export class NetworkEvents {
  readonly #state: DbState;
  readonly #tableEvents: TableEvents;
  readonly #refutations: Allowance;
  readonly #cameTo: (network: string) => void;

  /** @param cameTo told that another node is on a network that this one is on. */
  constructor(
    state: DbState,
    tableEvents: TableEvents,
    refutations: Allowance,
    cameTo: (network: string) => void,
  ) {
    this.#state = state;
    this.#tableEvents = tableEvents;
    this.#refutations = refutations;
    this.#cameTo = cameTo;
  }

  /** Says to the cluster that this node is on a network now, or is no more. */
  announce(network: string, change: NetworkEvent["change"]): void {
    const { nodes, networkClock, options, self, networks } = this.#state;
    const event = { kind: "network", change, time: networkClock.increment(), node: self, network } as const;
    const record = nodes.get(self);
    // That it is not where it never was needs no remembering: others can invent no end of such networks.
    if (record !== undefined && (change === "join" || record.attachments.has(network)))
      nodes.attach(record, event, this.#state.now() + options.leftNetworkTime, Number.POSITIVE_INFINITY);
    const local = networks.get(network);
    if (local !== undefined) local.announcedAt = this.#state.now();
    this.#queue(event);
  }

  /** Says it of all networks again, with later times: somebody may have missed it, or believes otherwise. */
  announceAll(): void {
    for (const network of this.#state.networks.keys()) this.announce(network, "join");
  }

  /** Takes what was heard, and passes it on when it is news. */
  hear(event: NetworkEvent, fromSync: boolean): void {
    const { counters, networkClock, self, clusterQueue } = this.#state;
    if (!networkClock.witness(event.time))
      counters.refuse("time-absurd", { node: event.node, time: event.time });
    else if (event.node === self) this.#correct(event);
    else if (this.#take(event) && !(fromSync && clusterQueue.size > maxQueuedFromSync)) this.#queue(event);
  }

  /**
   * The other side's own word in a push/pull exchange: of a network that it does not name, it knows nothing. It
   * was there before a restart.
   */
  hearAll({ node, time, attachments }: PushPull): void {
    for (const { leaving, ...rest } of attachments)
      this.hear({ kind: "network", change: leaving ? "leave" : "join", ...rest }, true);
    const record = this.#state.nodes.get(node);
    if (record === undefined || node === this.#state.self) return;
    const named = new Set(attachments.flatMap((one) => (one.node === node ? [one.network] : [])));
    for (const [network, attachment] of record.attachments)
      if (attachment.forgetAt === undefined && attachment.time <= time && !named.has(network)) {
        this.#state.nodes.detach(record, network, this.#state.now() + this.#state.options.leftNetworkTime);
        this.#tableEvents.dropOwned(network, node);
      }
  }

  /** Puts it among what is known. Gives whether it was news. */
  #take(event: NetworkEvent): boolean {
    const { nodes, counters, options, networks } = this.#state;
    const { node, network } = event;
    const record = nodes.get(node);
    if (record === undefined || record.state === "left") counters.refuse("unknown-node", { node });
    else if (network.length > options.maxNameLength) counters.refuse("too-long", { node });
    else {
      const forgetAt = this.#state.now() + options.leftNetworkTime;
      const outcome = nodes.attach(record, event, forgetAt, options.maxNetworks);
      if (outcome === "full") counters.refuse("networks-full", { node });
      else if (outcome === "stale") counters.stale++;
      else counters.applied++;
      if (outcome === "left") this.#tableEvents.dropOwned(network, node);
      if (outcome === "attached" && networks.has(network)) this.#cameTo(network);
      return outcome !== "full" && outcome !== "stale";
    }
    return false;
  }

  /** What others believe of this node's own networks, where it is later than what it said: it says it again. */
  #correct({ network, change, time }: NetworkEvent): void {
    const { nodes, self, networks, counters, options } = this.#state;
    const record = nodes.get(self);
    const known = record?.attachments.get(network);
    const isOn = networks.has(network);
    if (known !== undefined && known.time > time) return;
    if (isOn === (change === "join")) {
      if (isOn) record?.attachments.set(network, { time, forgetAt: undefined });
      return;
    }
    if (network.length > options.maxNameLength) return;
    if (!this.#refutations.take()) {
      counters.refuse("own-news-flood", { network });
      return;
    }
    counters.refuted++;
    this.announce(network, isOn ? "join" : "leave");
  }

  #queue(event: NetworkEvent): void {
    const { clusterQueue, counters } = this.#state;
    if (!clusterQueue.add(`${event.node}\0${event.network}`, encodeMessage(event))) counters.queueOverflows++;
  }
}
