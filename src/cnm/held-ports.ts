import { deepEqual, type Family, familyOf, type Id } from "../core/index.ts";
import { type HeldHandler, type HeldObject, heldRanks } from "../plan/index.ts";
import {
  formatHostPort,
  type HostPorts,
  type PortProxies,
  type PortProxy,
  type PublishedPort,
} from "../ports/index.ts";

/** The type of held host ports. */
export const portsType = "host-ports";

/** The ports of the host that lead to one sandbox. */
export interface PortsSpec {
  readonly sandbox: Id;
  readonly forwards: readonly PublishedPort[];
}

/** Wants ports of the host reserved, and served where no rule can. */
export function heldPorts(spec: PortsSpec): HeldObject {
  return { kind: "held", type: portsType, id: spec.sandbox, spec, within: [] };
}

/** What holds ports of the host: bound sockets, and the proxies that read from them. */
export function portHandler(hostPorts: HostPorts, proxies: PortProxies): HeldHandler {
  const holder = new PortHolder(hostPorts, proxies);
  const forwardsOf = ({ spec }: HeldObject) => (spec as PortsSpec).forwards; // only heldPorts makes this type
  return {
    type: portsType,
    rank: heldRanks.listener,
    // All are reserved, and listen, by then; who serves them can begin later.
    alongside: true,
    acquire: (object) => holder.hold(forwardsOf(object)),
    change: (object, former) => holder.change(forwardsOf(object), forwardsOf(former)),
    release: (object) => holder.letGo(forwardsOf(object)),
  };
}

/** Brings reservations and proxies to what is wanted, the reservations first and last. */
class PortHolder {
  readonly #hostPorts: HostPorts;
  readonly #proxies: PortProxies;

  constructor(hostPorts: HostPorts, proxies: PortProxies) {
    this.#hostPorts = hostPorts;
    this.#proxies = proxies;
  }

  /** Reserves what is not reserved yet, and serves all. Rejects with PORT_IN_USE; then nothing more is held. */
  async hold(forwards: readonly PublishedPort[]): Promise<void> {
    const added = forwards.filter((forward) => !this.#hostPorts.has(forward));
    try {
      const [lost] = this.#hostPorts.reserve(forwards);
      if (lost !== undefined) throw lost.reason;
      await this.#serve(forwards);
    } catch (error) {
      this.#hostPorts.release(added);
      throw error;
    }
  }

  async change(wanted: readonly PublishedPort[], held: readonly PublishedPort[]): Promise<void> {
    const former = new Map(held.map((forward) => [formatHostPort(forward), forward]));
    const kept = new Set(wanted.map(formatHostPort));
    const moved = wanted.filter((forward) => {
      const before = former.get(formatHostPort(forward));
      return before !== undefined && !deepEqual(before, forward);
    });
    await this.hold(wanted.filter((forward) => !former.has(formatHostPort(forward))));
    const leaving = held.filter((forward) => !kept.has(formatHostPort(forward)));
    const stopped = this.#keepersOf([...moved, ...leaving]);
    if (stopped.size === 0) return;
    // With those that only share a socket with one of them, which may be another one after this.
    const interrupted = wanted.filter((forward) => stopped.has(this.#hostPorts.keeperOf(forward).name));
    try {
      await this.#proxies.stop([...stopped]);
    } finally {
      this.#hostPorts.release(leaving);
    }
    await this.#serve(interrupted);
  }

  async letGo(forwards: readonly PublishedPort[]): Promise<void> {
    if (forwards.length === 0) return;
    try {
      await this.#proxies.stop([...this.#keepersOf(forwards)]);
    } finally {
      this.#hostPorts.release(forwards);
    }
  }

  /** The names of the sockets that keep these, as far as they are reserved. */
  #keepersOf(forwards: readonly PublishedPort[]): ReadonlySet<string> {
    const reserved = forwards.filter((forward) => this.#hostPorts.has(forward));
    return new Set(reserved.map((forward) => this.#hostPorts.keeperOf(forward).name));
  }

  async #serve(forwards: readonly PublishedPort[]): Promise<void> {
    const proxies = new Map<string, PortProxy>();
    for (const forward of forwards) {
      const { fd, name } = this.#hostPorts.keeperOf(forward);
      const { protocol, target, port } = forward;
      if (fd === undefined || protocol === "sctp") continue;
      const own = { id: name, protocol, fd, target, targetPort: port };
      const sharing = proxies.get(name);
      proxies.set(name, sharing === undefined ? own : bothOf(sharing, own, familyOf(forward.hostAddress)));
    }
    if (proxies.size > 0) await this.#proxies.serve([...proxies.values()]);
  }
}

/** One service of a socket of both families in the place of two; `family` is that of the second's clients. */
function bothOf(one: PortProxy, other: PortProxy, family: Family): PortProxy {
  const [four, six] = family === 4 ? [other, one] : [one, other];
  if (four.target === six.target && four.targetPort === six.targetPort) return six;
  return { ...six, ipv4Target: { address: four.target, port: four.targetPort } };
}
