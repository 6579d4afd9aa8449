import { addressToBytes, WeftError } from "../../core/index.ts";
import type { ClusterDelegate, Member } from "../cluster.ts";
import type { Environment } from "../environment.ts";
import { BroadcastQueue, type Membership, readAddress, type VersionRange } from "../membership/index.ts";
import type { Place } from "../transport/index.ts";
import { type Keyring, MalformedMessage, PackReader } from "../wire/index.ts";
import { type KeyAnswers, tallyKeys } from "./key-answers.ts";
import { answerKeyQuery, type KeyOperation, keyOperationOf, keyQueries } from "./key-queries.ts";
import { LamportClock } from "./lamport-clock.ts";
import { QueriesAsked, type QueryAnswer } from "./queries-asked.ts";
import { SeenMessages } from "./seen-messages.ts";
import { type SerfMember, SerfMembers } from "./serf-members.ts";
import {
  decodeIntent,
  decodeQuery,
  decodeQueryResponse,
  decodeRelay,
  decodeSerfState,
  decodeUserEvent,
  encodeIntent,
  encodeKeyRequest,
  encodeQuery,
  encodeQueryResponse,
  encodeRelay,
  encodeSerfState,
  type Intent,
  type Query,
  queryFlags,
  serfType,
} from "./serf-messages.ts";
import { encodeTags, passesFilters } from "./tags.ts";

/** The delegate versions that tell Serf's nodes that this is one (Vsn 1,5,2,2,5,5). */
export const serfVersions: VersionRange = { min: 2, max: 5, current: 5 };

/** Serf's own defaults (gossip.md B.10), ms. */
const reapInterval = 15_000;
const tombstoneTimeout = 24 * 3600_000;
const queryTimeoutMult = 16;
const maxWaiting = 4096;

/** What a node of Serf's layer is made with. */
export interface SerfInit {
  readonly environment: Environment;
  readonly tags?: ReadonlyMap<string, string>;
  /** The one that membership has; queries change it. */
  readonly keyring?: Keyring | undefined;
  /** Hears of each change of the keyring, so that it can be saved. */
  readonly keysChanged?: () => void;
}

/**
 * As much of Serf's own layer as its agents need to take a node for one of theirs: intents to join and leave, tags,
 * queries about keys, and the passing on of what users of Serf tell each other.
 */
export class Serf implements ClusterDelegate {
  readonly #environment: Environment;
  readonly #keyring: Keyring | undefined;
  readonly #keysChanged: () => void;
  readonly #members: SerfMembers;
  readonly #clock = new LamportClock();
  readonly #eventClock = new LamportClock();
  readonly #queryClock = new LamportClock();
  readonly #intents = new BroadcastQueue(4);
  readonly #queries = new BroadcastQueue(4);
  readonly #events = new BroadcastQueue(4);
  readonly #seenQueries = new SeenMessages();
  readonly #seenEvents = new SeenMessages();
  readonly #asked: QueriesAsked;
  #tags: ReadonlyMap<string, string>;
  #membership: Membership | undefined;
  #stopReaping: () => void = () => {};
  #leaving = false;
  #ownStatusTime = 0;

  constructor(init: SerfInit) {
    this.#environment = init.environment;
    this.#tags = init.tags ?? new Map();
    this.#keyring = init.keyring;
    this.#keysChanged = init.keysChanged ?? (() => {});
    this.#members = new SerfMembers(init.environment.timers);
    this.#asked = new QueriesAsked(init.environment.timers);
    for (const clock of [this.#clock, this.#eventClock, this.#queryClock]) clock.tick();
  }

  /** Gives the node that this is the delegate of, before that is started. */
  attach(membership: Membership): void {
    this.#membership = membership;
    const { timers } = this.#environment;
    const reap = () => {
      this.#members.reap(tombstoneTimeout);
      this.#stopReaping = timers.after(reapInterval, reap);
    };
    this.#stopReaping = timers.after(reapInterval, reap);
  }

  /** Every member, this node too, as Serf lists them. */
  list(): readonly SerfMember[] {
    const self = this.#running.member(this.#running.self);
    const own: SerfMember[] =
      self === undefined
        ? []
        : [{ member: self, status: this.#leaving ? "leaving" : "alive", tags: this.#tags }];
    return [...own, ...this.#members.list()];
  }

  /** Joins whoever is at these places; see {@link Membership.join}. */
  async join(places: readonly Place[]): Promise<number> {
    const count = await this.#running.join(places);
    this.#announceJoin();
    return count;
  }

  /** Tells everybody that this node leaves; resolves when that is spread, or `timeout` ms are over. */
  async leave(timeout: number): Promise<void> {
    const membership = this.#running;
    this.#leaving = true;
    const time = this.#clock.time;
    this.#clock.tick();
    await new Promise<void>((resolve) => {
      const cancel = this.#environment.timers.after(timeout / 2, resolve);
      const finished = () => {
        cancel();
        resolve();
      };
      const intent = encodeIntent({ kind: "leave", time, node: membership.self, prune: false });
      this.#intents.add(intent, { subject: membership.self, finished });
      if (membership.members().length <= 1) finished();
    });
    await membership.leave(timeout / 2);
  }

  /** Changes the keyring of every node of the cluster, or asks for it; resolves when all answered, or the time for it is over. */
  async keys(operation: KeyOperation, key: Uint8Array = new Uint8Array(0)): Promise<KeyAnswers> {
    if (this.#keyring === undefined)
      throw new WeftError("GOSSIP_KEY", "this node does not encrypt: start it with --encrypt");
    const members = this.#running.members().length;
    const answers = await this.#ask(keyQueries[operation], encodeKeyRequest(key), members);
    return tallyKeys(answers, members);
  }

  /** Stops what it does by itself. */
  close(): void {
    this.#stopReaping();
    this.#asked.close();
    for (const queue of [this.#intents, this.#queries, this.#events]) queue.clear();
  }

  meta(): Uint8Array {
    return encodeTags(this.#tags);
  }

  received(bytes: Uint8Array): void {
    const input = new PackReader(bytes, 1);
    switch (bytes[0]) {
      case serfType.join:
        this.#heardIntent(decodeIntent("join", input));
        return;
      case serfType.leave:
        this.#heardIntent(decodeIntent("leave", input));
        return;
      case serfType.userEvent:
        this.#heardEvent(input, bytes);
        return;
      case serfType.query:
        this.#heardQuery(decodeQuery(input), bytes);
        return;
      case serfType.queryResponse:
        this.#asked.answer(decodeQueryResponse(input));
        return;
      case serfType.relay:
        this.#relay(input);
        return;
      default: // conflict answers are nobody's question here
    }
  }

  broadcasts(overhead: number, limit: number): readonly Uint8Array[] {
    const taken: Uint8Array[] = [];
    let room = limit;
    for (const queue of [this.#intents, this.#queries, this.#events]) {
      for (const message of queue.take(overhead, room, this.#size)) {
        taken.push(message);
        room -= message.length + overhead;
      }
    }
    return taken;
  }

  localState(): Uint8Array {
    const self = this.#running.self;
    return encodeSerfState({
      time: this.#clock.time,
      statusTimes: new Map([...this.#members.statusTimes(), [self, this.#ownStatusTime]]),
      left: this.#members.left(),
      eventTime: this.#eventClock.time,
      queryTime: this.#queryClock.time,
    });
  }

  mergeState(bytes: Uint8Array): void {
    if (bytes[0] !== serfType.pushPull)
      throw new MalformedMessage("Serf's part of a push/pull has another type");
    const state = decodeSerfState(new PackReader(bytes, 1));
    this.#clock.witness(state.time - 1);
    this.#eventClock.witness(state.eventTime - 1);
    this.#queryClock.witness(state.queryTime - 1);
    const left = new Set(state.left);
    for (const kind of ["leave", "join"] as const)
      for (const [node, time] of state.statusTimes)
        if (left.has(node) === (kind === "leave")) this.#takeIntent({ kind, node, time, prune: false });
  }

  joined(member: Member): void {
    this.#members.joined(member);
  }

  gone(member: Member): void {
    this.#members.gone(member);
  }

  updated(member: Member): void {
    this.#members.updated(member);
  }

  get #running(): Membership {
    if (this.#membership === undefined) throw new WeftError("GOSSIP_CLOSED", "Serf's layer has no node yet");
    return this.#membership;
  }

  /** How many nodes the queues reckon with. */
  get #size(): number {
    return this.#members.size + 1;
  }

  #announceJoin(): void {
    this.#ownStatusTime = this.#clock.time;
    this.#clock.witness(this.#ownStatusTime);
    const node = this.#running.self;
    this.#intents.add(encodeIntent({ kind: "join", time: this.#ownStatusTime, node, prune: false }), {
      subject: node,
    });
  }

  #heardIntent(intent: Intent): void {
    if (!this.#takeIntent(intent)) return;
    this.#intents.add(encodeIntent(intent), { subject: intent.node });
    this.#intents.prune(maxWaiting);
  }

  /** Tells whether the intent is news. That this node leaves is for itself to say: it answers that it is here. */
  #takeIntent(intent: Intent): boolean {
    this.#clock.witness(intent.time);
    if (intent.node !== this.#running.self) return this.#members.intent(intent);
    if (intent.time <= this.#ownStatusTime) return false;
    if (intent.kind === "leave" && !this.#leaving) this.#announceJoin();
    if (intent.kind === "join") this.#ownStatusTime = intent.time;
    return intent.kind === "join";
  }

  #heardEvent(input: PackReader, bytes: Uint8Array): void {
    const { time, name, payload } = decodeUserEvent(input);
    this.#eventClock.witness(time);
    const key = `${name}\0${Buffer.from(payload).toString("latin1")}`;
    if (!this.#seenEvents.isNew(time, key, this.#eventClock.time)) return;
    this.#events.add(Buffer.from(bytes));
    this.#events.prune(maxWaiting);
  }

  #heardQuery(query: Query, bytes: Uint8Array): void {
    this.#queryClock.witness(query.time);
    if (!this.#seenQueries.isNew(query.time, String(query.id), this.#queryClock.time)) return;
    if ((query.flags & queryFlags.noBroadcast) === 0) {
      this.#queries.add(Buffer.from(bytes));
      this.#queries.prune(maxWaiting);
    }
    if (!passesFilters(query.filters, this.#running.self)) return;
    if ((query.flags & queryFlags.ack) !== 0) this.#respond(query, queryFlags.ack, new Uint8Array(0));
    const operation = keyOperationOf(query.name);
    if (operation === undefined) return;
    const answer = answerKeyQuery(operation, query.payload, this.#keyring);
    if (operation !== "list") this.#keysChanged();
    this.#respond(query, 0, answer);
  }

  /** Answers who asked, and through others too when it wished so. */
  #respond(
    { address, port, time, id, relayFactor, sourceNode }: Query,
    flags: number,
    payload: Uint8Array,
  ): void {
    const to = readAddress(address);
    if (to === undefined || port === 0) return;
    const membership = this.#running;
    const response = encodeQueryResponse({ time, id, from: membership.self, flags, payload });
    membership.sendPacketTo({ address: to.address, port }, response);
    if (relayFactor === 0) return;
    const relay = encodeRelay({ address: to.bytes, port, message: response }, sourceNode);
    const helpers = membership
      .members()
      .filter(({ name }) => name !== membership.self && name !== sourceNode);
    for (let i = Math.min(relayFactor, helpers.length); i > 0; i--) {
      const [helper] = helpers.splice(this.#environment.dice.below(helpers.length), 1);
      if (helper !== undefined) membership.sendPacket(helper, relay);
    }
  }

  /** Hands a message on to a member; to nobody else, or strangers could be bothered by us. */
  #relay(input: PackReader): void {
    const { address, port, message } = decodeRelay(input);
    const to = readAddress(address);
    const member = this.#running.members().find((one) => one.address === to?.address && one.port === port);
    if (member !== undefined) this.#running.sendPacket(member, Buffer.from(message));
  }

  /** Asks everybody, this node too. */
  #ask(name: string, payload: Uint8Array, members: number): Promise<readonly QueryAnswer[]> {
    const { place } = this.#running;
    const { dice } = this.#environment;
    const timeout =
      this.#running.profile.gossipInterval * queryTimeoutMult * Math.ceil(Math.log10(members + 1));
    const query: Query = {
      time: this.#queryClock.time,
      id: dice.below(2 ** 32),
      address: addressToBytes(place.address),
      port: place.port,
      sourceNode: this.#running.self,
      filters: [],
      flags: 0,
      relayFactor: 0,
      timeout,
      name,
      payload,
    };
    this.#queryClock.tick();
    const answers = this.#asked.wait(query.time, query.id, members, timeout);
    this.#heardQuery(query, encodeQuery(query));
    return answers;
  }
}
