import { addressToBytes, type IpAddress } from "../../core/index.ts";
import type { Place } from "../transport/index.ts";
import {
  type Accusation,
  type Alive,
  encodeAccusation,
  encodeAlive,
  type PushNode,
  wireLimits,
} from "../wire/index.ts";
import type { NodeContext } from "./context.ts";
import type { Refusal } from "./counters.ts";
import { suspicionTimes } from "./formulas.ts";
import { hasAddress, isGone, type MemberRecord, readAddress, sameBytes, stateOf } from "./member-record.ts";
import { Suspicion } from "./suspicion.ts";
import { areBadVersions, versionBytes } from "./versions.ts";

/** How far an incarnation may jump: an honest one grows by one for each accusation. More would shut a node out for good. */
const maxIncarnationJump = 1 << 24;
const maxIncarnation = 0xffffffff;
/** Of protocol version 1, which tells no port. */
const portOfOldPeers = 7946;

/**
 * What is believed of each member, and how what is heard changes it: SWIM's alive, suspect and dead with their
 * incarnations (gossip.md B.8). Everything that changed a belief is passed on; everything else ends here.
 */
export class Rumours {
  readonly #context: NodeContext;
  readonly #suspicions = new Map<string, Suspicion>();
  readonly #self: Place & { readonly bytes: Uint8Array };
  #incarnation = 0;
  #leaving = false;

  constructor(context: NodeContext, place: Place) {
    this.#context = context;
    this.#self = { ...place, bytes: addressToBytes(place.address) };
  }

  /** Grows with each refutation and each change of this node's meta. */
  get incarnation(): number {
    return this.#incarnation;
  }

  get isLeaving(): boolean {
    return this.#leaving;
  }

  /** Takes members as they are remembered. Tells whether this node was among them; then it goes on from there. */
  restore(records: readonly MemberRecord[]): boolean {
    const { table, delegate, self } = this.#context;
    for (const record of records) {
      table.put(record);
      if (record.name === self) this.#incarnation = record.incarnation;
      else if (!isGone(record)) delegate.joined(record);
    }
    return table.get(self) !== undefined;
  }

  /** Tells everybody that this node is there, with the meta that it has now. `told` runs when that was passed on. */
  announce(told?: () => void): void {
    this.#incarnation = Math.min(maxIncarnation, this.#incarnation + 1);
    const alive = this.#ownAlive();
    const known = this.#context.table.get(alive.node);
    this.#becomeAlive(known, alive, this.#self.address, this.#self.bytes, told);
  }

  /** Tells everybody that this node leaves. `told` runs when that was passed on. */
  leave(told: () => void): void {
    this.#leaving = true;
    const { self } = this.#context;
    this.dead({ incarnation: this.#incarnation, node: self, from: self }, told);
  }

  /** `alive.node` is there. `from` is who said so, for the log. */
  alive(alive: Alive, from: string): void {
    const { table, self } = this.#context;
    if (this.#leaving && alive.node === self) return; // what is still on its way must not bring us back
    const why = this.#faultOf(alive);
    if (why !== undefined) {
      this.#refuse(why, alive.node, from);
      return;
    }
    const known = table.get(alive.node);
    if (known === undefined) {
      this.#newcomer(alive, from);
      return;
    }
    if (known.incarnation + maxIncarnationJump < alive.incarnation) {
      this.#refuse("absurd", alive.node, from);
      return;
    }
    const moved = this.#hasMoved(known, alive);
    if (moved && !this.#mayMove(known)) {
      this.#conflict(known, alive, from);
      return;
    }
    if (alive.node === self) {
      this.#aliveSelf(known, alive);
      return;
    }
    if (alive.incarnation <= known.incarnation && !moved) return;
    const place = moved ? readAddress(alive.address) : { address: known.address, bytes: known.addressBytes };
    if (place === undefined) {
      this.#refuse("malformed", alive.node, from);
      return;
    }
    if (this.#isRefused(alive, place.address)) {
      this.#refuse("rejected", alive.node, from);
      return;
    }
    this.#becomeAlive(known, alive, place.address, place.bytes);
  }

  /** `node` did not answer `from`. */
  suspect(accusation: Accusation): void {
    const { incarnation, node, from } = accusation;
    const { table, self, counters } = this.#context;
    const known = table.get(node);
    if (known === undefined || incarnation < known.incarnation) return;
    if (this.#isAbsurd(known, accusation)) return;
    const running = this.#suspicions.get(node);
    if (running !== undefined) {
      if (running.confirm(from)) this.#passOn(node, encodeAccusation("suspect", accusation));
      return;
    }
    if (known.state !== "alive") return;
    if (node === self) {
      this.#refute(known, incarnation, from);
      return;
    }
    counters.suspicions++;
    this.#passOn(node, encodeAccusation("suspect", accusation));
    table.put({ ...known, incarnation, state: "suspect", changedAt: this.#now() });
    this.#beginSuspicion(node, from);
  }

  /** `node` is dead, or left when it says so itself. `told` runs when that was passed on. */
  dead(accusation: Accusation, told?: () => void): void {
    const { incarnation, node, from } = accusation;
    const { table, self, delegate } = this.#context;
    const known = table.get(node);
    if (known === undefined || incarnation < known.incarnation) return;
    if (this.#isAbsurd(known, accusation)) return;
    this.#endSuspicion(node);
    if (isGone(known)) return;
    if (node === self && !this.#leaving) {
      this.#refute(known, incarnation, from);
      return;
    }
    this.#passOn(node, encodeAccusation("dead", accusation), told);
    const state = from === node ? "left" : "dead";
    const record: MemberRecord = { ...known, incarnation, state, changedAt: this.#now() };
    table.put(record);
    if (node !== self) delegate.gone(record);
  }

  /**
   * What a push/pull told. Of whom the other side thinks dead we think worse at most: dead by hearsay could not
   * be refuted in time.
   */
  merge(nodes: readonly PushNode[], from: string): void {
    const { self } = this.#context;
    for (const one of nodes) {
      const state = stateOf(one.state);
      const { node, incarnation } = one;
      if (state === "alive") this.alive(one, from);
      else if (state === "left") this.dead({ incarnation, node, from: node });
      else if (state !== undefined) this.suspect({ incarnation, node, from: self });
      else this.#refuse("malformed", node, from);
    }
  }

  /** Stops counting down. */
  close(): void {
    for (const suspicion of this.#suspicions.values()) suspicion.cancel();
    this.#suspicions.clear();
  }

  #newcomer(alive: Alive, from: string): void {
    const { table, maxMembers } = this.#context;
    if (table.size >= maxMembers) {
      this.#refuse("tooManyMembers", alive.node, from);
      return;
    }
    const place = readAddress(alive.address);
    if (place === undefined) {
      this.#refuse("malformed", alive.node, from);
      return;
    }
    if (this.#isRefused(alive, place.address)) {
      this.#refuse("rejected", alive.node, from);
      return;
    }
    this.#becomeAlive(undefined, alive, place.address, place.bytes);
  }

  /** The rumour is about this node: what is not as it should be is put right by a newer incarnation. */
  #aliveSelf(known: MemberRecord, alive: Alive): void {
    if (alive.incarnation < known.incarnation) return;
    const isOurs = sameBytes(alive.meta, known.meta) && sameBytes(alive.versions, known.versions);
    if (alive.incarnation === known.incarnation && isOurs) return;
    this.#refute(known, alive.incarnation, alive.node);
  }

  #becomeAlive(
    known: MemberRecord | undefined,
    alive: Alive,
    address: IpAddress,
    addressBytes: Uint8Array,
    told?: () => void,
  ): void {
    const { table, delegate } = this.#context;
    this.#endSuspicion(alive.node);
    const port = portOf(alive);
    const record: MemberRecord = {
      name: alive.node,
      address,
      addressBytes,
      port,
      meta:
        known !== undefined && sameBytes(known.meta, alive.meta) ? known.meta : Uint8Array.from(alive.meta),
      versions: alive.versions,
      incarnation: alive.incarnation,
      state: "alive",
      changedAt: known?.state === "alive" ? known.changedAt : this.#now(),
    };
    this.#passOn(alive.node, encodeAlive({ ...alive, address: addressBytes, port }), told);
    table.put(record);
    if (record.name === this.#context.self) return;
    if (known === undefined || isGone(known)) delegate.joined(record);
    else if (!sameBytes(known.meta, record.meta) || this.#hasMoved(known, alive)) delegate.updated(record);
  }

  /** Somebody is wrong about this node: it says so with an incarnation that beats the accusation. */
  #refute(known: MemberRecord, accused: number, from: string): void {
    const { awareness, counters, table, log } = this.#context;
    counters.refutations++;
    awareness.apply(1);
    this.#incarnation = Math.min(maxIncarnation, Math.max(this.#incarnation, accused) + 1);
    log.warn("refuting what is said of this node", { from, incarnation: this.#incarnation });
    const alive = this.#ownAlive();
    table.put({ ...known, incarnation: this.#incarnation, meta: alive.meta });
    this.#passOn(alive.node, encodeAlive(alive));
  }

  #ownAlive(): Alive {
    const { self, delegate, versions, log } = this.#context;
    let meta = delegate.meta(wireLimits.meta);
    if (meta.length > wireLimits.meta) {
      log.warn("meta is too long and is left out", { bytes: meta.length, most: wireLimits.meta });
      meta = new Uint8Array(0);
    }
    return {
      incarnation: this.#incarnation,
      node: self,
      address: this.#self.bytes,
      port: this.#self.port,
      meta,
      versions: versionBytes(versions),
    };
  }

  #beginSuspicion(node: string, from: string): void {
    const { profile, table, timers, log } = this.#context;
    const times = suspicionTimes(profile, table.size);
    const expired = (confirmed: number) => {
      const known = table.get(node);
      if (known?.state !== "suspect") return;
      log.info("suspect did not object in time: dead", { node, confirmed });
      this.dead({ incarnation: known.incarnation, node, from: this.#context.self });
    };
    this.#suspicions.set(node, new Suspicion({ timers, times, from, expired }));
  }

  #endSuspicion(node: string): void {
    this.#suspicions.get(node)?.cancel();
    this.#suspicions.delete(node);
  }

  #passOn(subject: string, message: Uint8Array, finished?: () => void): void {
    this.#context.queue.add(message, { subject, ...(finished && { finished }) });
  }

  #faultOf({ versions, node }: Alive): Refusal | undefined {
    if (areBadVersions(versions)) return "absurd";
    return node === "" ? "malformed" : undefined;
  }

  #isAbsurd(known: MemberRecord, { incarnation, node, from }: Accusation): boolean {
    if (incarnation <= known.incarnation + maxIncarnationJump) return false;
    this.#refuse("absurd", node, from);
    return true;
  }

  #hasMoved(known: MemberRecord, alive: Alive): boolean {
    return known.port !== portOf(alive) || !hasAddress(known, alive.address);
  }

  /** Who left gives its name up; who died does after a time. */
  #mayMove({ state, changedAt }: MemberRecord): boolean {
    const { deadNodeReclaim } = this.#context.profile;
    if (state === "left") return true;
    return state === "dead" && deadNodeReclaim > 0 && this.#now() - changedAt > deadNodeReclaim;
  }

  #conflict(known: MemberRecord, alive: Alive, from: string): void {
    const { hooks } = this.#context;
    this.#refuse("conflict", alive.node, from);
    const place = readAddress(alive.address);
    if (place === undefined || hooks.conflict === undefined) return;
    const { node: name, meta } = alive;
    hooks.conflict(known, { name, meta, address: place.address, port: portOf(alive), state: "alive" });
  }

  #isRefused({ node: name, meta, port }: Alive, address: IpAddress): boolean {
    const { hooks, self } = this.#context;
    if (hooks.refuseAlive === undefined || name === self) return false;
    return (
      hooks.refuseAlive({ name, meta: Uint8Array.from(meta), address, port, state: "alive" }) !== undefined
    );
  }

  #refuse(why: Refusal, node: string, from: string): void {
    const { counters, peerLog } = this.#context;
    counters.refused[why]++;
    peerLog.warn("dropped what was said of a node", from, { why, node });
  }

  #now(): number {
    return this.#context.timers.monotonic();
  }
}

function portOf({ port }: Alive): number {
  return port === 0 ? portOfOldPeers : port;
}
