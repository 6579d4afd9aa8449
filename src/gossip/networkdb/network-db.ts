import { type Unsubscribe, WeftError } from "../../core/index.ts";
import type { Cluster, ClusterDelegate, Member } from "../cluster.ts";
import type { Environment } from "../environment.ts";
import { transmitLimit } from "./broadcast-queue.ts";
import type { NetworkDbCounters } from "./counters.ts";
import { DbState } from "./db-state.ts";
import { LocalNetwork } from "./local-network.ts";
import { defaultOptions, type NetworkDbOptions } from "./options.ts";
import { begin, type Running } from "./running.ts";
import type { TableChange, WatchFilter } from "./watchers.ts";
import { encodeMessage } from "./wire/codec.ts";

/** An entry of a table. Its value is not to be changed. */
export interface TableEntry {
  readonly key: string;
  readonly value: Uint8Array;
  /** The node that wrote it. */
  readonly owner: string;
}

/** A node of the cluster as the database sees it. */
export interface DatabaseNode {
  readonly name: string;
  readonly state: "active" | "failed" | "left";
}

/** How a network fares here. */
export interface NetworkStatus {
  readonly network: string;
  /** Tombstones and hidden entries included. */
  readonly entries: number;
  /** Messages that wait to be gossiped. */
  readonly queued: number;
  /** Whether entries were exchanged with another member since this node came. */
  readonly hasSynced: boolean;
}

/** How many members are told at once that this node leaves. */
const toldOfLeaving = 8;

/**
 * A database of tables that the nodes of a cluster share by gossip, each table among the members of one
 * network; it speaks the protocol of libnetwork's NetworkDB. Every member holds all of its networks' entries,
 * writes its own, and hears of the others'. docs/networkdb.md says what is guaranteed.
 *
 * It is membership's delegate: made first, given to membership, then started with the cluster.
 */
export class NetworkDb implements ClusterDelegate {
  readonly #environment: Environment;
  readonly #options: NetworkDbOptions;
  #running: Running | undefined;

  constructor(environment: Environment, options: Partial<NetworkDbOptions> = {}) {
    this.#environment = environment;
    this.#options = { ...defaultOptions, ...options };
  }

  /** Begins to gossip in `cluster`. Throws DATABASE_NOT_RUNNING when it was started before. */
  start(cluster: Cluster): void {
    if (this.#running !== undefined)
      throw new WeftError("DATABASE_NOT_RUNNING", "this network database was started before; make another");
    this.#running = begin(new DbState(this.#environment, this.#options, cluster));
  }

  /**
   * Says to the cluster that this node leaves it, so that its entries go at once. Membership is to leave next,
   * and to carry the news; call {@link stop} after that.
   */
  leave(): void {
    const { state, nodeEvents, dissemination } = this.#use();
    state.isLeaving = true;
    const message = nodeEvents.announce("leave");
    const others = state.cluster.members().filter(({ name }) => name !== state.self);
    for (const member of state.some(others, toldOfLeaving)) dissemination.sendPacket(member, message);
  }

  /** Ends all gossip at once. Nobody is told; the entries stay readable. */
  stop(): void {
    for (const cancel of this.#running?.tickers ?? []) cancel();
    this.#running?.dissemination.stop();
    this.#running?.bulkSyncs.stop();
  }

  /**
   * Comes to a network. Resolves when its entries are here as far as the members that were asked have them, or
   * when there is no other member, or none answers (then they are asked again later); never rejects. Throws
   * INVALID_TABLE_ENTRY when the id is empty or too long.
   */
  joinNetwork(network: string): Promise<void> {
    const { state, networkEvents, bulkSyncs } = this.#use();
    const known = state.networks.get(network);
    if (known !== undefined) return known.joining;
    this.#checkName("a network's id", network, state.options.maxNameLength);
    const local = new LocalNetwork(network, state.now(), state.options);
    state.networks.set(network, local);
    networkEvents.announce(network, "join");
    local.joining = bulkSyncs.comeTo(local);
    return local.joining;
  }

  /**
   * Leaves a network: this node's entries go everywhere, the others' go here, and watchers are told. Throws
   * TABLE_NETWORK_NOT_JOINED.
   */
  leaveNetwork(network: string): void {
    const { state, networkEvents } = this.#use();
    const { tables } = this.#network(network);
    state.networks.delete(network);
    networkEvents.announce(network, "leave");
    for (const [place, entry] of tables.all())
      state.watchers.changed({ network, ...place }, state.seen(entry), undefined);
  }

  /**
   * Writes a new entry. Throws TABLE_ENTRY_EXISTS when the key has one, of whatever owner,
   * TABLE_NETWORK_NOT_JOINED, INVALID_TABLE_ENTRY, TABLE_FULL.
   */
  create(network: string, table: string, key: string, value: Uint8Array): void {
    const { state, tableEvents } = this.#use();
    const local = this.#network(network);
    this.#checkEntry(table, key, value);
    const known = local.tables.get(table, key);
    if (known !== undefined && state.isVisible(known))
      throw new WeftError("TABLE_ENTRY_EXISTS", `${table} of network ${network} has an entry ${key} already`);
    if (known === undefined && local.tables.size >= state.options.maxEntries)
      throw new WeftError(
        "TABLE_FULL",
        `network ${network} has ${local.tables.size} entries, the most it can`,
      );
    tableEvents.write(local, { table, key }, "create", value.slice());
  }

  /**
   * Gives an entry another value; this node is its owner then. Throws TABLE_ENTRY_NOT_FOUND,
   * TABLE_NETWORK_NOT_JOINED, INVALID_TABLE_ENTRY.
   */
  update(network: string, table: string, key: string, value: Uint8Array): void {
    this.#checkEntry(table, key, value);
    const { local } = this.#existing(network, table, key);
    this.#use().tableEvents.write(local, { table, key }, "update", value.slice());
  }

  /** Deletes an entry, of whatever owner. Throws TABLE_ENTRY_NOT_FOUND, TABLE_NETWORK_NOT_JOINED. */
  delete(network: string, table: string, key: string): void {
    const { local, value } = this.#existing(network, table, key);
    this.#use().tableEvents.write(local, { table, key }, "delete", value);
  }

  /** One entry, own or another's; undefined when there is none or its owner has failed. */
  get(network: string, table: string, key: string): TableEntry | undefined {
    const entry = this.#network(network).tables.get(table, key);
    if (entry === undefined || !this.#use().state.isVisible(entry)) return undefined;
    return { key, value: entry.value, owner: entry.owner };
  }

  /** The entries of one table, own and others'; those of failed nodes are not among them. */
  list(network: string, table: string): TableEntry[] {
    const { state } = this.#use();
    const found: TableEntry[] = [];
    for (const [key, entry] of this.#network(network).tables.list(table))
      if (state.isVisible(entry)) found.push({ key, value: entry.value, owner: entry.owner });
    return found;
  }

  /** The names of a network's tables that hold anything, if only what was deleted. */
  tables(network: string): readonly string[] {
    return this.#network(network).tables.names();
  }

  /**
   * Calls `listener` with each change of what other nodes wrote, as one can see it here: an owner's failure is
   * a deletion, its return a creation. What there is already comes first, as created. This node's own writes
   * are not told. What the listener throws is logged.
   */
  watch(filter: WatchFilter, listener: (change: TableChange) => void): Unsubscribe {
    const { state } = this.#use();
    const present: TableChange[] = [];
    for (const [network, { tables }] of state.networks)
      if (filter.network === undefined || filter.network === network)
        for (const [{ table, key }, entry] of tables.all()) {
          const seen = state.seen(entry);
          if (seen === undefined || (filter.table !== undefined && filter.table !== table)) continue;
          const { owner, value } = seen;
          present.push({ change: "created", network, table, key, owner, value, previous: undefined });
        }
    return state.watchers.watch(filter, listener, present);
  }

  /** The networks that this node is on. */
  networks(): readonly string[] {
    return [...this.#use().state.networks.keys()];
  }

  /** The nodes on a network that are active, this one too if it is; of any network that was heard of. */
  members(network: string): readonly string[] {
    return this.#use()
      .state.nodes.activeOn(network)
      .map(({ name }) => name);
  }

  /** Every node that is known or remembered. */
  nodes(): readonly DatabaseNode[] {
    return [...this.#use().state.nodes.all()].map(({ name, state }) => ({ name, state }));
  }

  /** How each of this node's networks fares. */
  status(): readonly NetworkStatus[] {
    return [...this.#use().state.networks.values()].map(({ id, tables, queued, hasSynced }) => ({
      network: id,
      entries: tables.size,
      queued,
      hasSynced,
    }));
  }

  /** What has happened so far, in numbers. */
  counters(): Readonly<NetworkDbCounters> {
    return this.#use().state.counters.snapshot();
  }

  /** Empty, as the reference's. */
  meta(): Uint8Array {
    return new Uint8Array();
  }

  received(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#running?.inbox.receive(bytes);
  }

  broadcasts(overhead: number, limit: number): readonly Uint8Array[] {
    if (this.#running === undefined) return [];
    const { clusterQueue, options, cluster } = this.#running.state;
    if (clusterQueue.size === 0) return [];
    const transmits = transmitLimit(options.retransmitMultiplier, cluster.members().length);
    const messages = clusterQueue.take({ overhead, limit });
    clusterQueue.putBack(transmits);
    return messages;
  }

  localState(join: boolean): Uint8Array {
    // Who is heard in a push/pull exchange is there again, for those who know that it leaves.
    if (this.#running === undefined || this.#running.state.isLeaving) return new Uint8Array();
    const { state, networkEvents } = this.#running;
    // The other side may still believe what was true before this node was cut off, or before its restart.
    if (join) networkEvents.announceAll();
    const attachments = [...state.nodes.attachments()];
    return encodeMessage({ kind: "push-pull", time: state.networkClock.time, node: state.self, attachments });
  }

  mergeState(bytes: Uint8Array, _join: boolean): void {
    if (bytes.length > 0) this.#running?.inbox.merge(bytes);
  }

  joined(member: Member): void {
    this.#running?.nodeEvents.joined(member);
  }

  gone(member: Member): void {
    this.#running?.nodeEvents.gone(member);
  }

  updated(member: Member): void {
    this.#running?.nodeEvents.updated(member);
  }

  #use(): Running {
    if (this.#running === undefined)
      throw new WeftError("DATABASE_NOT_RUNNING", "the network database is not started; call start first");
    return this.#running;
  }

  #network(id: string): LocalNetwork {
    const local = this.#use().state.networks.get(id);
    if (local !== undefined) return local;
    throw new WeftError(
      "TABLE_NETWORK_NOT_JOINED",
      `this node is not on network ${id}; call joinNetwork first`,
    );
  }

  #existing(network: string, table: string, key: string) {
    const local = this.#network(network);
    const entry = local.tables.get(table, key);
    if (entry !== undefined && this.#use().state.isVisible(entry)) return { local, value: entry.value };
    throw new WeftError("TABLE_ENTRY_NOT_FOUND", `${table} of network ${network} has no entry ${key}`);
  }

  #checkEntry(table: string, key: string, value: Uint8Array): void {
    this.#checkName("a table's name", table, this.#options.maxNameLength);
    this.#checkName("a key", key, this.#options.maxKeyLength);
    if (value.length > this.#options.maxValueBytes)
      throw new WeftError(
        "INVALID_TABLE_ENTRY",
        `a value of ${value.length} bytes: it can have ${this.#options.maxValueBytes}`,
      );
  }

  /** Lone surrogates would be others on the wire than here. */
  #checkName(what: string, text: string, longest: number): void {
    if (text.length === 0 || text.length > longest || Buffer.from(text).toString() !== text)
      throw new WeftError(
        "INVALID_TABLE_ENTRY",
        `${what} has 1 to ${longest} characters of Unicode, not "${text}"`,
      );
  }
}
