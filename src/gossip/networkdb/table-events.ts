import type { Allowance } from "./allowance.ts";
import type { Refusal } from "./counters.ts";
import type { DbState } from "./db-state.ts";
import type { Dissemination } from "./dissemination.ts";
import { compareVersions, type Entry, eventOf, isTombstone } from "./entry.ts";
import type { LocalNetwork } from "./local-network.ts";
import type { TableEvent } from "./messages.ts";
import { maxQueuedFromSync } from "./options.ts";
import type { Place } from "./tables.ts";
import { encodeMessage } from "./wire/codec.ts";

/** A tombstone that comes with no time left is kept for so long, ms: its sender was about to forget it. */
const leastTombstoneTime = 60_000;

/** What this node writes, and what it hears that others wrote. */
export class TableEvents {
  readonly #state: DbState;
  readonly #dissemination: Dissemination;
  readonly #refutations: Allowance;

  constructor(state: DbState, dissemination: Dissemination, refutations: Allowance) {
    this.#state = state;
    this.#dissemination = dissemination;
    this.#refutations = refutations;
  }

  /** Writes an entry of this node's own, and tells some of the network's members at once. */
  write(network: LocalNetwork, place: Place, change: TableEvent["change"], value: Uint8Array): void {
    const now = this.#state.now();
    const reapAt = change === "delete" ? now + this.#state.options.tombstoneTime : undefined;
    const entry = { owner: this.#state.self, time: this.#state.tableClock.increment(), value, reapAt };
    this.#replace(network, place, network.tables.get(place.table, place.key), entry);
    const event = eventOf({ network: network.id, ...place }, entry, now);
    if (event === undefined) return;
    const message = encodeMessage(reapAt === undefined ? { ...event, change } : event);
    if (!network.queue("own", place.table, place.key, message)) this.#state.counters.queueOverflows++;
    this.#dissemination.prompt(network);
  }

  /**
   * Takes what another node wrote, and passes it on when it is news. `message` is the event's bytes, which may
   * be changed after this call; `fromSync`: it came with the whole table.
   */
  hear(event: TableEvent, message: Uint8Array, fromSync: boolean): void {
    const refusal = this.#refusalOf(event);
    const network = this.#state.networks.get(event.network);
    if (refusal !== undefined || network === undefined) {
      const { network: id, node, time } = event;
      this.#state.counters.refuse(refusal ?? "unknown-network", { network: id, node, time });
      return;
    }
    const { table, key } = event;
    const known = network.tables.get(table, key);
    if (event.node === this.#state.self) this.#correct(network, event, known);
    else if (this.#take(network, event, known) && this.#isForOthers(network, event, known, fromSync)) {
      if (!network.queue("heard", table, key, message.slice())) this.#state.counters.queueOverflows++;
      if (!fromSync) this.#dissemination.prompt(network);
    }
  }

  /** Tells watchers of a node's entries, which come into sight with its return, or go with its failure. */
  show(owner: string, isShown: boolean): void {
    for (const network of this.#state.networks.values())
      for (const [place, entry] of network.tables.all())
        if (entry.owner === owner && !isTombstone(entry)) {
          const [before, after] = isShown ? [undefined, entry] : [entry, undefined];
          this.#state.watchers.changed({ network: network.id, ...place }, before, after);
        }
  }

  /** Drops the entries of a node that left the network. Its tombstones stay: they hold off older news. */
  dropOwned(networkId: string, owner: string): void {
    const network = this.#state.networks.get(networkId);
    if (network === undefined) return;
    for (const [{ table, key }, entry] of network.tables.all()) {
      if (entry.owner !== owner || isTombstone(entry)) continue;
      const before = this.#state.seen(entry);
      network.tables.remove(table, key);
      this.#state.watchers.changed({ network: networkId, table, key }, before, undefined);
    }
  }

  /** Why an event cannot be taken at all, if so. */
  #refusalOf(event: TableEvent): Refusal | undefined {
    const { nodes, networks, options, self, tableClock } = this.#state;
    const isTooLong =
      event.table.length > options.maxNameLength ||
      event.key.length > options.maxKeyLength ||
      event.value.length > options.maxValueBytes;
    if (isTooLong) return "too-long";
    if (!tableClock.witness(event.time)) return "time-absurd";
    if (!networks.has(event.network)) return "unknown-network";
    if (event.node === self) return undefined;
    if (!nodes.isOn(event.node, event.network)) return "owner-not-attached";
    const owner = nodes.get(event.node);
    // Its entries were dropped after that time, and come from itself when it returns.
    const isLost = owner?.state === "failed" && this.#state.now() - owner.since > options.tombstoneTime;
    return isLost ? "owner-failed" : undefined;
  }

  /** Puts the event in the place of what is known, if it is the later version. */
  #take(network: LocalNetwork, event: TableEvent, known: Entry | undefined): boolean {
    const { counters, options } = this.#state;
    const entry = this.#entryOf(event);
    if (known !== undefined) {
      const isTie = known.time === entry.time && known.owner !== entry.owner;
      if (isTie) counters.ties++;
      if (compareVersions(entry, known) <= 0) {
        counters.stale++;
        if (isTie && known.owner === this.#state.self) this.#rewrite(network, event, known);
        return false;
      }
    } else if (network.tables.size >= options.maxEntries) {
      counters.refuse("tables-full", { network: network.id, entries: network.tables.size });
      return false;
    }
    this.#replace(network, event, known, { ...entry, value: event.value.slice() });
    counters.applied++;
    return true;
  }

  /**
   * News of an own entry that is later than what this node knows: it was written before this node's restart,
   * or comes from one who missed that it was deleted. The owner's word counts, so it is given again.
   */
  #correct(network: LocalNetwork, event: TableEvent, known: Entry | undefined): void {
    const entry = this.#entryOf(event);
    if (known !== undefined && compareVersions(entry, known) <= 0) {
      this.#state.counters.stale++;
      return;
    }
    const isOwn = known?.owner === this.#state.self;
    if (isOwn && isTombstone(known) === isTombstone(entry) && Buffer.compare(known.value, entry.value) === 0)
      network.tables.set(event.table, event.key, { ...known, time: entry.time });
    else if (isOwn) this.#rewrite(network, event, known);
    else if (isTombstone(entry))
      this.#replace(network, event, known, { ...entry, value: event.value.slice() });
    else this.#rewrite(network, event, { value: event.value.slice(), reapAt: 0 });
  }

  /** Writes an own entry anew, so that its time is later than all that was heard. */
  #rewrite(network: LocalNetwork, place: Place, entry: Pick<Entry, "value" | "reapAt">): void {
    if (!this.#refutations.take()) {
      this.#state.counters.refuse("own-news-flood", { network: network.id });
      return;
    }
    this.#state.counters.refuted++;
    const change = entry.reapAt === undefined ? "update" : "delete";
    this.write(network, { table: place.table, key: place.key }, change, entry.value);
  }

  #replace(network: LocalNetwork, { table, key }: Place, known: Entry | undefined, entry: Entry): void {
    const before = this.#state.seen(known);
    network.tables.set(table, key, entry);
    this.#state.watchers.changed({ network: network.id, table, key }, before, this.#state.seen(entry));
  }

  /** Its value is still a view of the message. */
  #entryOf(event: TableEvent): Entry {
    const { nodes, options } = this.#state;
    // The name as it is kept already: a hundred thousand entries of one owner need it once.
    const owner = nodes.get(event.node)?.name ?? event.node;
    const { time, value, change, residualSeconds } = event;
    const left = residualSeconds > 0 ? residualSeconds * 1000 : leastTombstoneTime;
    const reapAt = this.#state.now() + Math.min(left, options.tombstoneTime);
    return { owner, time, value, reapAt: change === "delete" ? reapAt : undefined };
  }

  /** Whether news is to be passed on. Of what came with a table, others will mostly hear in the same way. */
  #isForOthers(
    network: LocalNetwork,
    event: TableEvent,
    known: Entry | undefined,
    fromSync: boolean,
  ): boolean {
    if (network.isSyncing || (fromSync && network.queued > maxQueuedFromSync)) return false;
    if (known !== undefined || event.change !== "delete") return true;
    // A deletion of what was never known here: passed on only while it is young, or it would go round forever.
    return fromSync && event.residualSeconds * 1000 > this.#state.options.tombstoneTime / 6;
  }
}
