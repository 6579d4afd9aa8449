import { parseAddress } from "../../../src/core/index.ts";
import type { Cluster, Member, MemberState } from "../../../src/gossip/cluster.ts";
import type { GossipLog } from "../../../src/gossip/environment.ts";
import { NetworkDb, type NetworkDbOptions } from "../../../src/gossip/networkdb/index.ts";
import { SeededDice, VirtualTime } from "./virtual-time.ts";

/** What the network does to packets; streams are only cut. */
export interface Weather {
  /** The share of packets that are lost, and of those that arrive twice: 0 to 1. */
  readonly loss: number;
  readonly duplication: number;
  /** Each takes a time between these, ms: the further apart, the more they overtake each other. */
  readonly delay: readonly [least: number, most: number];
}

export const fairWeather: Weather = { loss: 0, duplication: 0, delay: [0.2, 1] };

/** What a packet may hold, bytes, as membership without encryption has it. */
const packetLimit = 1400;
const gossipInterval = 200;
const pushPullInterval = 30_000;
/** Between losing a node and being sure of it, and between reaching it again and knowing that, ms. */
const detection: readonly [number, number] = [3_000, 6_000];
const discovery: readonly [number, number] = [500, 3_000];
const streamTimeout = 10_000;

/** One life of one node: its database and what its membership believes. */
export interface FakeNode {
  readonly name: string;
  readonly db: NetworkDb;
  readonly port: number;
  /** The others as this one sees them. */
  readonly sees: Map<string, MemberState>;
  isUp: boolean;
}

/**
 * Nodes with databases on a membership in memory: who sees whom follows from who can reach whom after a while,
 * user messages and push/pull go as memberlist has them, all on a virtual clock and from one seed.
 */
export class FakeCluster {
  readonly time = new VirtualTime();
  readonly dice: SeededDice;
  readonly nodes = new Map<string, FakeNode>();
  readonly warnings: string[] = [];
  weather: Weather = fairWeather;
  /** What packets hold that are on their way, newest last; for tests that replay them. */
  readonly recorded: { readonly to: string; readonly bytes: Uint8Array }[] = [];
  /** The part of the network that a node is in, 0 unless it is cut off. */
  readonly #parts = new Map<string, number>();
  readonly #options: Partial<NetworkDbOptions>;
  #ports = 7946;

  constructor(seed: number, options: Partial<NetworkDbOptions> = {}) {
    this.dice = new SeededDice(seed);
    this.#options = options;
  }

  /** Starts a node, or one that was killed again: it knows nothing then, and joins by `seed` if that is up. */
  start(name: string, seed?: string, port = this.nodes.get(name)?.port ?? this.#ports++): FakeNode {
    const log: GossipLog = {
      info: () => {},
      warn: (message, facts) => this.warnings.push(`${message} ${JSON.stringify(facts)}`),
    };
    const db = new NetworkDb(
      { timers: this.time, dice: new SeededDice(this.dice.below(2 ** 32)), log },
      this.#options,
    );
    const node: FakeNode = { name, db, port, sees: new Map(), isUp: true };
    this.nodes.set(name, node);
    db.start(this.#clusterOf(node));
    this.#every(node, gossipInterval, () => this.#gossip(node));
    this.#every(node, pushPullInterval, () => this.#pushPull(node, this.#someSeen(node), false));
    const contact = seed === undefined ? undefined : this.nodes.get(seed);
    if (contact?.isUp) this.#pushPull(node, contact, true);
    for (const other of this.nodes.values()) if (other !== node && other.isUp) this.#lookLater(node, other);
    return node;
  }

  /** Ends a node without a word. */
  kill(name: string): void {
    const node = this.node(name);
    node.isUp = false;
    node.db.stop();
    for (const other of this.nodes.values()) if (other !== node) this.#look(other, node, detection);
  }

  /** A node says that it leaves, and ends. */
  async leave(name: string): Promise<void> {
    const node = this.node(name);
    node.db.leave();
    await this.time.run(1_000);
    node.isUp = false;
    node.db.stop();
    for (const other of this.nodes.values())
      if (other !== node && other.sees.has(name)) this.#see(other, node, "left");
  }

  /** Cuts the network into parts: nodes reach those of their own part alone. Others are in part 0. */
  partition(parts: Readonly<Record<string, number>>): void {
    this.#parts.clear();
    for (const [name, part] of Object.entries(parts)) this.#parts.set(name, part);
    for (const a of this.nodes.values())
      for (const b of this.nodes.values()) if (a !== b) this.#lookOne(a, b);
  }

  heal(): void {
    this.partition({});
  }

  node(name: string): FakeNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  db(name: string): NetworkDb {
    return this.node(name).db;
  }

  stop(): void {
    for (const node of this.nodes.values()) node.db.stop();
  }

  reaches(a: FakeNode, b: FakeNode): boolean {
    return a.isUp && b.isUp && this.#isSamePart(a, b);
  }

  #isSamePart(a: FakeNode, b: FakeNode): boolean {
    return (this.#parts.get(a.name) ?? 0) === (this.#parts.get(b.name) ?? 0);
  }

  #clusterOf(node: FakeNode): Cluster {
    const memberOf = (name: string): Member | undefined => {
      const other = this.nodes.get(name);
      const state = name === node.name ? "alive" : node.sees.get(name);
      return other === undefined || state === undefined ? undefined : member(other, state);
    };
    return {
      self: node.name,
      members: () =>
        [node.name, ...node.sees.keys()].flatMap((name) => {
          const found = memberOf(name);
          return found === undefined || found.state === "dead" || found.state === "left" ? [] : [found];
        }),
      member: memberOf,
      sendPacket: (to, message) => {
        if (message.length > packetLimit) throw new RangeError(`a packet of ${message.length} bytes`);
        this.#packet(node, to.name, message);
      },
      sendReliable: (to, message) => this.#stream(node, to.name, message),
    };
  }

  #packet(from: FakeNode, to: string, message: Uint8Array): void {
    const { loss, duplication } = this.weather;
    const bytes = message.slice();
    this.recorded.push({ to, bytes });
    if (this.recorded.length > 1_000) this.recorded.shift();
    const copies = this.dice.fraction() < duplication ? 2 : 1;
    for (let i = 0; i < copies; i++)
      if (this.dice.fraction() >= loss)
        this.time.after(this.#between(this.weather.delay), () => {
          const target = this.nodes.get(to);
          if (target?.isUp && this.#isSamePart(from, target)) target.db.received(bytes.slice());
        });
  }

  #stream(from: FakeNode, to: string, message: Uint8Array): Promise<void> {
    const bytes = message.slice();
    return new Promise((resolve, reject) => {
      this.time.after(2 * this.#between(this.weather.delay), () => {
        const target = this.nodes.get(to);
        if (target === undefined || !this.reaches(from, target)) {
          this.time.after(streamTimeout, () => reject(new Error(`${to} cannot be reached`)));
          return;
        }
        target.db.received(bytes);
        resolve();
      });
    });
  }

  #gossip(node: FakeNode): void {
    for (let i = 0; i < 3; i++) {
      const peer = this.#someSeen(node);
      if (peer === undefined) return;
      for (const message of node.db.broadcasts(3, packetLimit)) this.#packet(node, peer.name, message);
    }
  }

  #pushPull(node: FakeNode, peer: FakeNode | undefined, join: boolean): void {
    if (peer === undefined || !this.reaches(node, peer)) return;
    this.#see(node, peer, "alive");
    this.#see(peer, node, "alive");
    for (const other of this.nodes.values()) {
      if (peer.sees.get(other.name) === "alive" && !node.sees.has(other.name))
        this.#see(node, other, "alive");
    }
    const [asked, answered] = [node.db.localState(join), peer.db.localState(join)];
    peer.db.mergeState(asked, join);
    node.db.mergeState(answered, join);
  }

  #someSeen(node: FakeNode): FakeNode | undefined {
    const seen = [...node.sees].filter(([, state]) => state === "alive").map(([name]) => name);
    return this.nodes.get(seen[this.dice.below(seen.length)] ?? "");
  }

  /** Both will know of each other in a while. */
  #lookLater(a: FakeNode, b: FakeNode): void {
    this.#lookOne(a, b);
    this.#lookOne(b, a);
  }

  #lookOne(node: FakeNode, other: FakeNode): void {
    this.#look(node, other, this.reaches(node, other) ? discovery : detection);
  }

  #look(node: FakeNode, other: FakeNode, within: readonly [number, number]): void {
    this.time.after(this.#between(within), () => {
      const current = this.nodes.get(other.name);
      if (!node.isUp || current === undefined) return;
      const reaches = this.reaches(node, current);
      if (reaches) this.#see(node, current, "alive");
      else if (node.sees.get(other.name) === "alive") this.#see(node, current, "dead");
    });
  }

  #see(node: FakeNode, other: FakeNode, state: MemberState): void {
    if (!node.isUp || node === other || node.sees.get(other.name) === state) return;
    node.sees.set(other.name, state);
    if (state === "alive") node.db.joined(member(other, state));
    else node.db.gone(member(other, state));
  }

  #between([least, most]: readonly [number, number]): number {
    return least + this.dice.fraction() * (most - least);
  }

  #every(node: FakeNode, interval: number, task: () => void): void {
    const tick = () => {
      if (!node.isUp) return;
      task();
      this.time.after(interval, tick);
    };
    this.time.after(this.dice.fraction() * interval, tick);
  }
}

function member({ name, port }: FakeNode, state: MemberState): Member {
  return { name, address: parseAddress("127.0.0.1"), port, meta: new Uint8Array(), state };
}
