import { parseAddress } from "../../src/core/index.ts";
import {
  type ClusterDelegate,
  lanProfile,
  type Member,
  Membership,
  type MembershipInit,
  MemoryNetwork,
  type NetworkConditions,
  type Place,
  seededDice,
  VirtualTimers,
} from "../../src/gossip/index.ts";

/** Nodes in memory, on virtual time, with everything by chance from one seed. */
export class TestCluster {
  readonly timers = new VirtualTimers();
  readonly dice: ReturnType<typeof seededDice>;
  readonly network: MemoryNetwork;
  readonly nodes = new Map<string, TestNode>();
  #addresses = 0;

  constructor(seed = 1, conditions: Partial<NetworkConditions> = { delay: [1, 10] }) {
    this.dice = seededDice(seed);
    this.network = new MemoryNetwork(this.timers, this.dice, conditions);
  }

  /** Starts a node, in the stead of one of that name, at its address unless another is given. */
  start(
    name: string,
    init: Partial<MembershipInit> = {},
    address?: string,
    beforeStart: (membership: Membership) => void = () => {},
  ): TestNode {
    const place: Place =
      address === undefined && this.nodes.has(name)
        ? this.node(name).place
        : { address: parseAddress(address ?? `10.0.0.${++this.#addresses}`), port: 7946 };
    const node = new TestNode(this, name, place, init);
    this.nodes.set(name, node);
    beforeStart(node.membership);
    node.membership.start();
    return node;
  }

  node(name: string): TestNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  /** Starts nodes n1 to n`count`, each of which joins the first. */
  async startMany(count: number, init: Partial<MembershipInit> = {}): Promise<readonly TestNode[]> {
    const nodes: TestNode[] = [];
    for (let i = 1; i <= count; i++) {
      const node = this.start(`n${i}`, init);
      const [first] = nodes;
      if (first !== undefined) await this.settle(node.membership.join([first.place]));
      nodes.push(node);
    }
    return nodes;
  }

  /** Lets time pass until the promise is settled, at most five virtual minutes. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const done = () => {
      over = true;
    };
    promise.then(done, done);
    for (let i = 0; i < 30_000 && !over; i++) {
      this.timers.advance(10);
      await new Promise(setImmediate);
    }
    if (!over) throw new Error("it did not settle in five virtual minutes");
    return promise;
  }

  /** Lets time pass until `isSo`, at most `ms`. Throws when it does not become so. */
  until(what: string, isSo: () => boolean, ms: number): void {
    if (!this.timers.advanceUntil(isSo, ms)) throw new Error(`not so after ${ms} virtual ms: ${what}`);
  }

  close(): void {
    for (const { membership } of this.nodes.values()) void membership.close(); // closing in memory waits for nothing
  }
}

/** A node with a delegate that remembers what it was told. */
export class TestNode {
  readonly membership: Membership;
  readonly place: Place;
  readonly events: string[] = [];
  readonly received: string[] = [];
  readonly warnings: string[] = [];
  meta: Uint8Array = new Uint8Array(0);
  outbox: Uint8Array[] = [];

  constructor(cluster: TestCluster, name: string, place: Place, init: Partial<MembershipInit>) {
    this.place = place;
    this.membership = new Membership({
      name,
      transport: cluster.network.transport(place),
      environment: {
        timers: cluster.timers,
        dice: cluster.dice,
        log: { warn: (message) => this.warnings.push(message), info: () => {} },
      },
      profile: { ...lanProfile, reconnectInterval: 5000 },
      delegate: this.#delegate(),
      ...init,
    });
  }

  /** The state of each member in this node's view. */
  view(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.membership.everyone().map(({ name, state }) => [name, state]));
  }

  /** True when these and only these are alive in this node's view. */
  sees(names: readonly string[]): boolean {
    const members = this.membership.members();
    return (
      members.length === names.length &&
      names.every((name) => this.membership.member(name)?.state === "alive")
    );
  }

  stateOf(name: string): string | undefined {
    return this.membership.member(name)?.state;
  }

  kill(): void {
    void this.membership.close(); // closing in memory waits for nothing
  }

  #delegate(): ClusterDelegate {
    const told = (what: string) => (member: Member) => this.events.push(`${what} ${member.name}`);
    return {
      meta: () => this.meta,
      received: (bytes) => this.received.push(Buffer.from(bytes).toString()),
      broadcasts: () => this.outbox.splice(0),
      localState: () => Buffer.from(`state of ${this.membership.self}`),
      mergeState: (bytes, join) => this.events.push(`merged ${Buffer.from(bytes)}${join ? " joining" : ""}`),
      joined: told("joined"),
      gone: told("gone"),
      updated: told("updated"),
    };
  }
}
