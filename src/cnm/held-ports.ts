import { deepEqual, type Id } from "../core/index.ts";
import { type HeldHandler, type HeldObject, heldRanks } from "../plan/index.ts";
import { formatHostPort, type HostPorts, type PortProxies, type PublishedPort } from "../ports/index.ts";

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
    if (moved.length > 0) {
      await this.#proxies.stop(moved.map(formatHostPort));
      await this.#serve(moved);
    }
    await this.letGo(held.filter((forward) => !kept.has(formatHostPort(forward))));
  }

  async letGo(forwards: readonly PublishedPort[]): Promise<void> {
    if (forwards.length === 0) return;
    try {
      await this.#proxies.stop(forwards.map(formatHostPort));
    } finally {
      this.#hostPorts.release(forwards);
    }
  }

  async #serve(forwards: readonly PublishedPort[]): Promise<void> {
    const ports = forwards.flatMap((forward) => {
      const { protocol, target, port } = forward;
      const fd = this.#hostPorts.fdOf(forward);
      return fd === undefined || protocol === "sctp"
        ? []
        : [{ id: formatHostPort(forward), protocol, fd, target, targetPort: port }];
    });
    if (ports.length > 0) await this.#proxies.serve(ports);
  }
}
