import { addressToBytes, type IpAddress, parseAddress } from "../../src/core/index.ts";
import {
  type ClusterDelegate,
  type Dice,
  type Environment,
  gossipProfiles,
  Keyring,
  type Member,
  type MemberRecord,
  Membership,
  MemoryNetwork,
  type Place,
  seededDice,
  type TrafficCount,
  type Transport,
  VirtualTimers,
  versionBytes,
} from "../../src/gossip/index.ts";
import { curveStep, type Figures, median, type SimulationInit, shares } from "./figures.ts";

/** When the first update is made, how far they lie apart, and how many there are at most. Virtual ms. */
const firstUpdate = 10_000;
const updateGap = 5_000;
const maxUpdates = 5;
/** How long before the end a node dies. */
const deathBefore = 25_000;

interface Node {
  readonly name: string;
  readonly membership: Membership;
  readonly transport: Transport & { readonly traffic: TrafficCount };
  meta: Uint8Array;
}

/** Who knew of something, and when. */
interface Spread {
  readonly subject: string;
  readonly begun: number;
  readonly times: number[];
}

/** Runs weft's own membership, as it is, for a cluster in one process on virtual time. */
export function simulate(init: SimulationInit): Figures {
  const started = performance.now();
  const simulation = new Simulation(init);
  const figures = simulation.run();
  return { ...figures, realSeconds: (performance.now() - started) / 1000 };
}

class Simulation {
  readonly #init: SimulationInit;
  readonly #timers = new VirtualTimers();
  readonly #dice: Dice;
  readonly #network: MemoryNetwork;
  readonly #nodes: Node[] = [];
  #update: Spread | undefined;
  #death: Spread | undefined;
  #falseDeaths = 0;

  constructor(init: SimulationInit) {
    this.#init = init;
    this.#dice = seededDice(init.seed);
    const { loss, duplication, delay } = init;
    this.#network = new MemoryNetwork(this.#timers, this.#dice, { loss, duplication, delay });
  }

  run(): Omit<Figures, "realSeconds"> {
    const { nodes, seconds } = this.#init;
    this.#start();
    const end = seconds * 1000;
    const deathAt = end - deathBefore;
    const updates: Spread[] = [];
    for (let at = firstUpdate; at + updateGap <= deathAt && updates.length < maxUpdates; at += updateGap) {
      this.#timers.advance(at - this.#timers.monotonic());
      updates.push(this.#makeUpdate(updates.length));
    }
    this.#timers.advance(deathAt - this.#timers.monotonic());
    const traffic = this.#traffic();
    const death = this.#kill();
    this.#timers.advance(end - this.#timers.monotonic());
    const others = nodes - 1;
    return {
      init: this.#init,
      updates: updates.length,
      complete: updates.filter(({ times }) => times.length === others).length,
      convergence: shares.map((share) => timeOfShare(updates, share, others)),
      curve: curveOf(updates, others),
      bytesPerNodeSecond: (1000 * traffic.bytes) / nodes / deathAt,
      packetsPerNodeSecond: (1000 * traffic.packets) / nodes / deathAt,
      falseSuspicions: traffic.failedProbes,
      falseDeaths: this.#falseDeaths,
      detection: {
        first: death.times[0],
        half: death.times[Math.ceil(others / 2) - 1],
        all: death.times[others - 1],
      },
    };
  }

  /** Everybody knows everybody from the start: what is measured is a cluster at work, not one that comes together. */
  #start(): void {
    const { nodes, profile } = this.#init;
    const records = Array.from({ length: nodes }, (_, i) => recordOf(i));
    const keyring = this.#init.encrypt ? new Keyring([Buffer.alloc(32, this.#init.seed)]) : undefined;
    for (const record of records) {
      const transport = this.#network.transport(record);
      const node: Node = {
        name: record.name,
        transport,
        meta: record.meta,
        membership: new Membership({
          name: record.name,
          transport,
          environment: this.#environment(),
          profile: gossipProfiles[profile],
          keyring,
          delegate: this.#delegate(() => node.meta),
        }),
      };
      this.#nodes.push(node);
      node.membership.start(records);
    }
  }

  #environment(): Environment {
    return { timers: this.#timers, dice: this.#dice, log: { warn: () => {}, info: () => {} } };
  }

  #delegate(meta: () => Uint8Array): ClusterDelegate {
    return {
      meta,
      received: () => {},
      broadcasts: () => [],
      localState: () => new Uint8Array(0),
      mergeState: () => {},
      joined: () => {},
      gone: (member) => this.#heardDeath(member),
      updated: (member) => heard(this.#update, member, this.#timers.monotonic()),
    };
  }

  #heardDeath(member: Member): void {
    if (member.name === this.#death?.subject) heard(this.#death, member, this.#timers.monotonic());
    else this.#falseDeaths++;
  }

  /** A node changes its meta, which everybody shall hear. */
  #makeUpdate(turn: number): Spread {
    const node = this.#any();
    this.#update = { subject: node.name, begun: this.#timers.monotonic(), times: [] };
    node.meta = Buffer.from(`update ${turn}`);
    node.membership.updateMeta();
    return this.#update;
  }

  #kill(): Spread {
    const node = this.#any();
    this.#death = { subject: node.name, begun: this.#timers.monotonic(), times: [] };
    void node.membership.close(); // closing in memory has nothing to wait for
    return this.#death;
  }

  #any(): Node {
    const node = this.#nodes[this.#dice.below(this.#nodes.length)];
    if (node === undefined) throw new RangeError("a simulation needs nodes");
    return node;
  }

  #traffic() {
    const sum = { bytes: 0, packets: 0, failedProbes: 0 };
    for (const { transport, membership } of this.#nodes) {
      const { packetBytesSent, streamBytesSent, packetsSent } = transport.traffic;
      sum.bytes += packetBytesSent + streamBytesSent;
      sum.packets += packetsSent;
      sum.failedProbes += membership.counters.failedProbes;
    }
    return sum;
  }
}

function heard(spread: Spread | undefined, { name }: Member, now: number): void {
  if (spread?.subject === name) spread.times.push(now - spread.begun);
}

/** The median time until this share of the others had heard; undefined when most updates never got so far. */
function timeOfShare(updates: readonly Spread[], share: number, others: number): number | undefined {
  const wanted = Math.ceil(share * others) - 1;
  const times = updates.map(({ times }) => times[wanted] ?? Number.POSITIVE_INFINITY);
  const middle = median(times);
  return middle === Number.POSITIVE_INFINITY ? undefined : middle;
}

function curveOf(updates: readonly Spread[], others: number): readonly number[] {
  const points: number[] = [];
  for (let at = 0; at <= updateGap; at += curveStep) {
    let known = 0;
    for (const { times } of updates) known += times.filter((time) => time <= at).length;
    points.push(known / others / Math.max(1, updates.length));
  }
  return points;
}

const port = 7946;

function recordOf(index: number): MemberRecord & Place {
  const address: IpAddress = parseAddress(`10.${index >> 16}.${(index >> 8) & 0xff}.${index & 0xff}`);
  const versions = versionBytes({
    protocol: { min: 1, max: 5, current: 2 },
    delegate: { min: 0, max: 0, current: 0 },
  });
  return {
    name: `node-${index}`,
    address,
    addressBytes: addressToBytes(address),
    port,
    meta: new Uint8Array(0),
    state: "alive",
    incarnation: 1,
    versions,
    changedAt: 0,
  };
}
