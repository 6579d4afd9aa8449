import type { Cluster } from "../cluster.ts";
import type { Environment } from "../environment.ts";
import { BroadcastQueue } from "./broadcast-queue.ts";
import { Counters } from "./counters.ts";
import { type Entry, isTombstone } from "./entry.ts";
import { LamportClock } from "./lamport-clock.ts";
import type { LocalNetwork } from "./local-network.ts";
import { Nodes } from "./nodes.ts";
import type { NetworkDbOptions } from "./options.ts";
import { type Seen, Watchers } from "./watchers.ts";

/** What the parts of one network database share. */
export class DbState {
  readonly environment: Environment;
  readonly options: NetworkDbOptions;
  readonly cluster: Cluster;
  readonly nodes = new Nodes();
  /** The networks that this node is on, by id. */
  readonly networks = new Map<string, LocalNetwork>();
  /** Of node and network events. */
  readonly networkClock = new LamportClock();
  /** Of table events. */
  readonly tableClock = new LamportClock();
  readonly watchers: Watchers;
  readonly counters: Counters;
  /** Node and network events, which ride on membership's packets. */
  readonly clusterQueue: BroadcastQueue;
  /** This node has said that it leaves the cluster. */
  isLeaving = false;

  constructor(environment: Environment, options: NetworkDbOptions, cluster: Cluster) {
    this.environment = environment;
    this.options = options;
    this.cluster = cluster;
    this.watchers = new Watchers(environment.log);
    this.counters = new Counters(environment.log, environment.timers);
    this.clusterQueue = new BroadcastQueue(options.maxQueued);
  }

  get self(): string {
    return this.cluster.self;
  }

  now(): number {
    return this.environment.timers.monotonic();
  }

  /** Whether an entry counts: not deleted, and its owner is not failed. */
  isVisible(entry: Entry): boolean {
    if (isTombstone(entry)) return false;
    return entry.owner === this.self || this.nodes.get(entry.owner)?.state === "active";
  }

  /** What watchers see of an entry: nothing of this node's own. */
  seen(entry: Entry | undefined): Seen | undefined {
    return entry !== undefined && entry.owner !== this.self && this.isVisible(entry) ? entry : undefined;
  }

  /** `count` of `items`, chosen at random. */
  some<T>(items: readonly T[], count: number): T[] {
    const rest = [...items];
    for (let i = 0; i < Math.min(count, rest.length); i++) {
      const j = i + this.environment.dice.below(rest.length - i);
      const [a, b] = [rest[i], rest[j]];
      if (a !== undefined && b !== undefined) [rest[i], rest[j]] = [b, a];
    }
    return rest.slice(0, count);
  }
}
