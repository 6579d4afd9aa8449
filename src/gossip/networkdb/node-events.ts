import type { Member } from "../cluster.ts";
import type { Allowance } from "./allowance.ts";
import type { DbState } from "./db-state.ts";
import type { NodeEvent } from "./messages.ts";
import type { NetworkEvents } from "./network-events.ts";
import { type NodeRecord, placeOf } from "./nodes.ts";
import type { TableEvents } from "./table-events.ts";
import { encodeMessage } from "./wire/codec.ts";

/** A node that said it leaves, and that membership still has after so long, did not leave. */
const leaveTime = 30_000;

/** Which nodes there are: by membership, and by what they say themselves. */
export class NodeEvents {
  readonly #state: DbState;
  readonly #tableEvents: TableEvents;
  readonly #networkEvents: NetworkEvents;
  readonly #refutations: Allowance;
  readonly #returned: (node: string) => void;

  /** @param returned told that a node that had failed is back. */
  constructor(
    state: DbState,
    tableEvents: TableEvents,
    networkEvents: NetworkEvents,
    refutations: Allowance,
    returned: (node: string) => void,
  ) {
    this.#state = state;
    this.#tableEvents = tableEvents;
    this.#networkEvents = networkEvents;
    this.#refutations = refutations;
    this.#returned = returned;
  }

  /** Says to the cluster that this node is there, or that it leaves. */
  announce(change: NodeEvent["change"]): Uint8Array {
    const { networkClock, self, clusterQueue, counters } = this.#state;
    const message = encodeMessage({ kind: "node", change, time: networkClock.increment(), node: self });
    if (!clusterQueue.add(self, message)) counters.queueOverflows++;
    return message;
  }

  /** Membership sees a node, for the first time or again. */
  joined(member: Member): void {
    if (member.name === this.#state.self) return;
    const known = this.#state.nodes.get(member.name);
    const record = known ?? this.#state.nodes.add(member, this.#state.now());
    const isBack = record.state === "failed";
    this.#moved(record, member, known === undefined);
    this.#activate(record);
    if (isBack) this.#returned(record.name);
  }

  /** Its address or its meta changed. */
  updated(member: Member): void {
    const record = this.#state.nodes.get(member.name);
    if (record !== undefined && member.name !== this.#state.self) this.#moved(record, member, false);
  }

  /** Membership has lost a node, or it has left. */
  gone({ name, state }: Member): void {
    const record = this.#state.nodes.get(name);
    if (record === undefined || name === this.#state.self) return;
    if (state === "left") this.#leave(record);
    else this.#fail(record);
    for (const other of this.#state.nodes.all())
      if (other.replacedBy === name && this.#isAlive(other)) this.#activate(other);
  }

  /** Takes what a node says of itself, and passes it on when it changes something. */
  hear(event: NodeEvent): void {
    const { networkClock, counters, nodes, self, clusterQueue } = this.#state;
    const { node, time, change } = event;
    const record = nodes.get(node);
    if (!networkClock.witness(time)) counters.refuse("time-absurd", { node, time });
    else if (node === self) this.#correct(event);
    else if (record === undefined) counters.refuse("unknown-node", { node });
    else if (record.time >= time) counters.stale++;
    else {
      record.time = time;
      if (change === "leave" ? !this.#leave(record) : !this.#rejoin(record)) return;
      counters.applied++;
      if (!clusterQueue.add(node, encodeMessage(event))) counters.queueOverflows++;
    }
  }

  /** Forgets what is to be forgotten. */
  reap(now: number): void {
    const { nodes, options, networks } = this.#state;
    for (const record of nodes.all()) {
      nodes.reapAttachments(record, now);
      const age = now - record.since;
      if (record.name === this.#state.self || record.state === "active") continue;
      if (record.state === "left" && age > leaveTime && this.#isAlive(record)) this.#activate(record);
      else if (record.state === "failed" && age > options.tombstoneTime && !record.isEmptied) {
        record.isEmptied = true;
        for (const network of networks.keys()) this.#tableEvents.dropOwned(network, record.name);
      } else if (age > options.nodeTime && !this.#isAlive(record)) nodes.forget(record);
    }
  }

  /** A node that comes with another name to the place of one that membership still has: that one is dead. */
  #moved(record: NodeRecord, member: Member, isNew: boolean): void {
    const place = placeOf(member);
    if (!isNew && record.place === place) return;
    record.place = place;
    for (const other of this.#state.nodes.othersAt(record)) {
      if (other.name === this.#state.self) continue;
      this.#fail(other);
      if (other.state === "failed") other.replacedBy = record.name;
    }
  }

  #rejoin(record: NodeRecord): boolean {
    if (record.state !== "left" || !this.#isAlive(record)) return false;
    this.#activate(record);
    return true;
  }

  #activate(record: NodeRecord): void {
    const { state } = record;
    record.replacedBy = undefined;
    if (state === "active") return;
    this.#change(record, "active");
    if (state === "failed") this.#tableEvents.show(record.name, true);
  }

  #fail(record: NodeRecord): void {
    if (record.state !== "active") return;
    this.#change(record, "failed");
    this.#tableEvents.show(record.name, false);
  }

  /** Gives whether that is a change. */
  #leave(record: NodeRecord): boolean {
    if (record.state === "left") return false;
    for (const network of this.#state.networks.keys()) this.#tableEvents.dropOwned(network, record.name);
    this.#state.nodes.detachAll(record);
    this.#change(record, "left");
    return true;
  }

  #change(record: NodeRecord, state: NodeRecord["state"]): void {
    record.state = state;
    record.isEmptied = false;
    record.since = this.#state.now();
  }

  #isAlive({ name }: NodeRecord): boolean {
    return this.#state.cluster.member(name)?.state === "alive";
  }

  /** Somebody says that this node has left: it has not. Who believed it has forgotten its networks too. */
  #correct({ change, time }: NodeEvent): void {
    const own = this.#state.nodes.get(this.#state.self);
    if (change !== "leave" || this.#state.isLeaving || own === undefined || own.time >= time) return;
    if (!this.#refutations.take()) {
      this.#state.counters.refuse("own-news-flood", { time });
      return;
    }
    own.time = time;
    this.#state.counters.refuted++;
    this.announce("join");
    this.#networkEvents.announceAll();
  }
}
