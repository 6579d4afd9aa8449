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
  const specOf = ({ spec }: HeldObject) => spec as PortsSpec; // only heldPorts makes this type
  return {
    type: portsType,
    rank: heldRanks.listener,
    // All are reserved, and listen, by then; who serves them can begin later.
    alongside: true,
    acquire: (object) => holder.hold(specOf(object)),
    change: (object, former) => holder.change(specOf(object), specOf(former)),
    release: (object) => holder.letGo(specOf(object)),
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
  async hold({ sandbox, forwards }: PortsSpec): Promise<void> {
    const added = forwards.filter((forward) => !this.#hostPorts.has(sandbox, forward));
    try {
      const [lost] = this.#hostPorts.reserve(sandbox, forwards);
      if (lost !== undefined) throw lost.reason;
      await this.#serve(sandbox, forwards);
    } catch (error) {
      this.#hostPorts.release(sandbox, added);
      throw error;
    }
  }

  async change({ sandbox, forwards: wanted }: PortsSpec, { forwards: held }: PortsSpec): Promise<void> {
    const former = new Map(held.map((forward) => [formatHostPort(forward), forward]));
    const kept = new Set(wanted.map(formatHostPort));
    const moved = wanted.filter((forward) => {
      const before = former.get(formatHostPort(forward));
      return before !== undefined && !deepEqual(before, forward);
    });
    const added = wanted.filter((forward) => !former.has(formatHostPort(forward)));
    await this.hold({ sandbox, forwards: added });
    const leaving = held.filter((forward) => !kept.has(formatHostPort(forward)));
    const stopped = this.#keepersOf(sandbox, [...moved, ...leaving]);
    if (stopped.size === 0) return;
    // With those that only share a socket with one of them, which may be another one after this.
    const interrupted = wanted.filter((forward) =>
      stopped.has(this.#hostPorts.keeperOf(sandbox, forward).name),
    );
    try {
      await this.#proxies.stop([...stopped]);
    } finally {
      this.#hostPorts.release(sandbox, leaving);
    }
    await this.#serve(sandbox, interrupted);
  }

  async letGo({ sandbox, forwards }: PortsSpec): Promise<void> {
    if (forwards.length === 0) return;
    try {
      await this.#proxies.stop([...this.#keepersOf(sandbox, forwards)]);
    } finally {
      this.#hostPorts.release(sandbox, forwards);
    }
  }

  /** The names of the sockets that keep these, as far as they are reserved. */
  #keepersOf(sandbox: Id, forwards: readonly PublishedPort[]): ReadonlySet<string> {
    const reserved = forwards.filter((forward) => this.#hostPorts.has(sandbox, forward));
    return new Set(reserved.map((forward) => this.#hostPorts.keeperOf(sandbox, forward).name));
  }

  async #serve(sandbox: Id, forwards: readonly PublishedPort[]): Promise<void> {
    const proxies = new Map<string, PortProxy>();
    for (const forward of forwards) {
      const { fd, name } = this.#hostPorts.keeperOf(sandbox, forward);
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
