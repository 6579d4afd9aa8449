import { addressToBytes, WeftError } from "../../core/index.ts";
import type { Cluster, Member } from "../cluster.ts";
import { type Place, placeText, type Transport } from "../transport/index.ts";
import { Acks } from "./acks.ts";
import type { NodeContext } from "./context.ts";
import type { GossipCounters } from "./counters.ts";
import { Exchanges } from "./exchanges.ts";
import { pushPullInterval } from "./formulas.ts";
import { Inbox } from "./inbox.ts";
import { Mailer } from "./mailer.ts";
import { isGone, type MemberRecord } from "./member-record.ts";
import { envelopeOf, type MembershipInit } from "./membership-init.ts";
import { createContext } from "./node-context.ts";
import { Prober } from "./prober.ts";
import type { GossipProfile } from "./profile.ts";
import { Reconnector } from "./reconnector.ts";
import { Rumours } from "./rumours.ts";

/**
 * One node of a cluster, by HashiCorp memberlist's protocol (gossip.md B): who is there, who failed, who left, and a
 * way for the layer above to tell all of them something.
 */
export class Membership implements Cluster {
  readonly self: string;
  readonly #context: NodeContext;
  readonly #transport: Transport;
  readonly #rumours: Rumours;
  readonly #mailer: Mailer;
  readonly #exchanges: Exchanges;
  readonly #prober: Prober;
  readonly #reconnector: Reconnector;
  readonly #inbox: Inbox;
  /** What ends the waiting of those who wait for something, when the node is closed. */
  readonly #waiting = new Set<() => void>();
  #state: "new" | "running" | "closed" = "new";

  /** Does nothing yet: {@link Membership.start} does. Throws INVALID_NAME and INVALID_OPTION. */
  constructor(init: MembershipInit) {
    const { name, transport } = init;
    const context = createContext(init, {
      joined: (member) => this.#reconnector.joined(member),
      gone: (member) => this.#reconnector.gone(member),
    });
    const envelope = envelopeOf(init);
    const acks = new Acks(context.timers);
    const source = {
      address: addressToBytes(transport.place.address),
      port: transport.place.port,
      node: name,
    };
    this.self = name;
    this.#context = context;
    this.#transport = transport;
    this.#rumours = new Rumours(context, transport.place);
    this.#mailer = new Mailer(context, transport, envelope);
    const parts = {
      context,
      envelope,
      transport,
      acks,
      source,
      rumours: this.#rumours,
      mailer: this.#mailer,
    };
    this.#exchanges = new Exchanges(parts);
    this.#inbox = new Inbox(parts);
    this.#prober = new Prober({ ...parts, exchanges: this.#exchanges });
    this.#reconnector = new Reconnector(context, this.#exchanges, this.#rumours);
  }

  /**
   * Listens, announces this node, and begins to probe and to gossip. `known` are members that are believed to live
   * already, from an earlier run; when this node is among them it goes on with that incarnation, unannounced.
   */
  start(known: readonly MemberRecord[] = []): void {
    if (this.#state !== "new") throw this.#closed();
    this.#state = "running";
    const { timers, dice, profile, table } = this.#context;
    if (!this.#rumours.restore(known)) this.#rumours.announce();
    this.#transport.start({
      packet: (packet, from) => this.#inbox.packet(packet, from),
      stream: (stream) => this.#exchanges.serve(stream),
    });
    const every = (interval: () => number, task: () => void) => {
      if (interval() > 0) timers.every(dice, interval, task);
    };
    every(
      () => profile.probeInterval,
      () => this.#prober.tick(),
    );
    every(
      () => profile.gossipInterval,
      () => this.#gossip(),
    );
    every(
      () => pushPullInterval(profile.pushPullInterval, table.size),
      () => this.#pushPull(),
    );
    every(
      () => profile.reconnectInterval,
      () => this.#reconnector.tick(),
    );
  }

  get counters(): Readonly<GossipCounters> {
    return this.#context.counters;
  }

  get profile(): GossipProfile {
    return this.#context.profile;
  }

  /** How ill this node seems to be, 0 best; see {@link Awareness}. */
  get healthScore(): number {
    return this.#context.awareness.score;
  }

  /** Grows with every accusation that this node answered and every change of its meta. */
  get incarnation(): number {
    return this.#rumours.incarnation;
  }

  /** News that wait to be passed on. */
  get queueLength(): number {
    return this.#context.queue.length;
  }

  /** Where this node is reached. */
  get place(): Place {
    return this.#transport.place;
  }

  members(): readonly MemberRecord[] {
    return this.#context.table.living();
  }

  /** Every node that is known, also those that died or left lately. */
  everyone(): readonly MemberRecord[] {
    return [...this.#context.table.all()];
  }

  /** Members that failed and are looked for; see the profile's reconnectTimeout. */
  failed(): readonly Member[] {
    return this.#reconnector.failed;
  }

  member(name: string): MemberRecord | undefined {
    return this.#context.table.get(name);
  }

  sendPacket(to: Member, message: Uint8Array): void {
    if (this.#state !== "running") throw this.#closed();
    this.#mailer.sendUser(to, message, this.member(to.name));
  }

  /** A user message to whoever is at `to`. Throws GOSSIP_TOO_LONG. */
  sendPacketTo(to: Place, message: Uint8Array): void {
    if (this.#state !== "running") throw this.#closed();
    this.#mailer.sendUser(to, message);
  }

  /** Rejects with GOSSIP_UNREACHABLE. */
  sendReliable(to: Member, message: Uint8Array): Promise<void> {
    return this.#exchange((done) => this.#exchanges.user(to, message, done));
  }

  /**
   * Joins the cluster of whoever is at these places, all of them at once. Resolves with how many answered; rejects
   * when none did, with GOSSIP_UNREACHABLE, or GOSSIP_PROTOCOL when their versions do not fit.
   */
  async join(places: readonly Place[]): Promise<number> {
    const asked = places.map((place) =>
      this.#exchange((done) => this.#exchanges.pushPull(place, true, done)),
    );
    const outcomes = await Promise.allSettled(asked);
    const failures = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason as WeftError] : []));
    const [first] = failures;
    if (first === undefined || failures.length < outcomes.length) return outcomes.length - failures.length;
    throw new WeftError(first.code, `cannot join ${places.map(placeText).join(", ")}: ${first.message}`, {
      cause: failures.length === 1 ? first : new AggregateError(failures),
    });
  }

  /**
   * Tells everybody that this node leaves. Resolves when that was passed on as often as it should be, or after
   * `timeout` ms; tells which. The node still answers until it is closed, so that who missed it hears it.
   */
  leave(timeout: number): Promise<boolean> {
    if (this.#state !== "running") return Promise.reject(this.#closed());
    return new Promise((resolve) => {
      const finish = (told: boolean) => {
        cancel();
        this.#waiting.delete(giveUp);
        resolve(told);
      };
      const giveUp = () => finish(false);
      const cancel = this.#context.timers.after(timeout, giveUp);
      this.#waiting.add(giveUp);
      this.#rumours.leave(() => finish(true));
      const others = this.members().filter(({ name }) => name !== this.self);
      if (others.length === 0) finish(true);
    });
  }

  /** Asks the layer above for its meta again, and tells everybody. */
  updateMeta(): void {
    if (this.#state !== "running") throw this.#closed();
    if (!this.#rumours.isLeaving) this.#rumours.announce();
  }

  /** Ends without a word: the others will think that the node failed, unless it left before. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const giveUp of [...this.#waiting]) giveUp();
    this.#rumours.close();
    this.#context.queue.clear();
    this.#context.timers.close();
    await this.#transport.close();
  }

  #exchange(begin: (done: (failure?: WeftError) => void) => void): Promise<void> {
    if (this.#state !== "running") return Promise.reject(this.#closed());
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(this.#closed());
      this.#waiting.add(giveUp);
      begin((failure) => {
        this.#waiting.delete(giveUp);
        if (failure === undefined) resolve();
        else reject(failure);
      });
    });
  }

  /** Most of the time there is nothing to tell, which is found out first. */
  #gossip(): void {
    const { table, profile, timers } = this.#context;
    let news = table.size > 1 ? this.#mailer.news() : [];
    if (news.length === 0) return;
    const now = timers.monotonic();
    const isFit = (one: MemberRecord) =>
      one.name !== this.self &&
      (!isGone(one) || (one.state === "dead" && now - one.changedAt <= profile.gossipToTheDead));
    for (const one of table.pick(profile.gossipNodes, isFit)) {
      if (news.length === 0) news = this.#mailer.news();
      if (news.length === 0) return;
      this.#mailer.tell(one, news);
      news = [];
    }
  }

  #pushPull(): void {
    const { table, peerLog } = this.#context;
    const [one] = table.pick(1, ({ name, state }) => name !== this.self && state === "alive");
    if (one === undefined) return;
    this.#exchanges.pushPull(one, false, (failure) => {
      if (failure !== undefined) peerLog.warn("push/pull failed", one.name, { error: failure.message });
    });
  }

  #closed(): WeftError {
    return new WeftError(
      "GOSSIP_CLOSED",
      `gossip node ${this.self} cannot do this: it ${stateWords[this.#state]}`,
    );
  }
}

const stateWords = { new: "was not started", running: "runs already", closed: "was closed" } as const;
