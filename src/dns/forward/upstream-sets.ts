import { Upstream, type UpstreamStatus } from "./upstream.ts";
import { serverKey, type UpstreamServer } from "./upstream-server.ts";

/** Servers in an order, for all sandboxes that use the same ones in the same order. */
export interface UpstreamSet {
  /** Told apart from every other set that is or was. */
  readonly id: number;
  readonly upstreams: readonly Upstream[];
}

interface Shared<T> {
  readonly value: T;
  users: number;
}

/** The sets of servers in use. What is found out about a server is shared by all sets that it is in. */
export class UpstreamSets {
  readonly #sets = new Map<string, Shared<UpstreamSet>>();
  readonly #upstreams = new Map<string, Shared<Upstream>>();
  readonly #unused: (upstream: Upstream) => void;
  #lastId = 0;

  /** `unused` is told each server that no set has any more. */
  constructor(unused: (upstream: Upstream) => void) {
    this.#unused = unused;
  }

  /** The set of these servers, for one more user, who gives it back by {@link UpstreamSets.release}. */
  acquire(servers: readonly UpstreamServer[]): UpstreamSet {
    const key = servers.map(serverKey).join("\n");
    const known = this.#sets.get(key);
    if (known !== undefined) {
      known.users++;
      return known.value;
    }
    const value = { id: ++this.#lastId, upstreams: servers.map((server) => this.#upstream(server)) };
    this.#sets.set(key, { value, users: 1 });
    return value;
  }

  /** Gives a set back. */
  release(set: UpstreamSet): void {
    const key = set.upstreams.map(({ server }) => serverKey(server)).join("\n");
    const shared = this.#sets.get(key);
    if (shared === undefined || --shared.users > 0) return;
    this.#sets.delete(key);
    for (const upstream of set.upstreams) this.#releaseUpstream(upstream);
  }

  /** Every server in use. */
  statuses(): readonly UpstreamStatus[] {
    return [...this.#upstreams.values()].map(({ value }) => value.status);
  }

  #upstream(server: UpstreamServer): Upstream {
    const key = serverKey(server);
    const shared = this.#upstreams.get(key) ?? { value: new Upstream(server), users: 0 };
    this.#upstreams.set(key, shared);
    shared.users++;
    return shared.value;
  }

  #releaseUpstream(upstream: Upstream): void {
    const key = serverKey(upstream.server);
    const shared = this.#upstreams.get(key);
    if (shared === undefined || --shared.users > 0) return;
    this.#upstreams.delete(key);
    this.#unused(upstream);
  }
}
