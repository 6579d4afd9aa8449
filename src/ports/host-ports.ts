import { type IpAddress, throwAll, WeftError } from "../core/index.ts";
import { type EphemeralSettings, portsAfter } from "./ephemeral-ports.ts";
import { formatHostPort, type HostPort, type PortBinding } from "./port-binding.ts";
import { PortBook } from "./port-book.ts";
import type { PortSockets } from "./port-sockets.ts";
import { formatRange, type PortSpec } from "./port-spec.ts";
import { formatSocketAddress, type PortProtocol, type PortRange } from "./protocol.ts";

/** A port to publish. */
export interface PortRequest {
  readonly spec: PortSpec;
  /** Where to publish it, in place of the spec's own address; all of them get the same host port. */
  readonly hostAddresses: readonly IpAddress[];
  /** The host port to try first where there is a choice: the one it had before. */
  readonly preferred?: number;
}

/** A binding that could not be taken again, and why. */
export interface TakenPort {
  readonly binding: PortBinding;
  readonly reason: WeftError;
}

/** What host ports are allocated with. */
export interface HostPortsInit {
  readonly sockets: PortSockets;
  /** Asked once for each allocation that needs it. */
  readonly settings: () => EphemeralSettings;
  /** The ephemeral ports that were given last, to go on after. */
  readonly last?: ReadonlyMap<PortProtocol, number>;
}

interface Reservation {
  readonly binding: PortBinding;
  readonly fd: number | undefined;
}

/** Why one host port cannot be had. */
interface Refusal {
  readonly hostPort: HostPort;
  readonly why: "published" | "taken" | "no-address";
}

/**
 * The host ports that weft has published. Each is kept by a bound socket, so that no other program can
 * take it and what others have is not given out; those sockets are this object's, whoever reads from them.
 */
export class HostPorts {
  readonly #sockets: PortSockets;
  readonly #settings: () => EphemeralSettings;
  readonly #book = new PortBook<Reservation>();
  /** The ephemeral port given last. */
  readonly #last: Map<PortProtocol, number>;

  constructor({ sockets, settings, last = new Map() }: HostPortsInit) {
    this.#last = new Map(last);
    this.#sockets = sockets;
    this.#settings = settings;
  }

  /** The ephemeral ports given last. */
  get last(): ReadonlyMap<PortProtocol, number> {
    return this.#last;
  }

  /** Every port that is reserved. */
  get bindings(): readonly PortBinding[] {
    return [...this.#book.values()].map(({ binding }) => binding);
  }

  /** How many are reserved. */
  get size(): number {
    return this.#book.size;
  }

  /** True when this very port is reserved. */
  has(hostPort: HostPort): boolean {
    return this.#book.get(hostPort) !== undefined;
  }

  /**
   * Reserves a host port for each request on each of its addresses, all or nothing, and gives the bindings
   * in that order. Throws PORT_IN_USE, PORTS_EXHAUSTED, HOST_ADDRESS_MISSING or KernelError.
   */
  allocate(requests: readonly PortRequest[]): readonly PortBinding[] {
    const bindings: PortBinding[] = [];
    let known: EphemeralSettings | undefined;
    const settings = () => {
      known ??= this.#settings();
      return known;
    };
    const count = requests.reduce((sum, { hostAddresses }) => sum + hostAddresses.length, 0);
    return this.#sockets.batch(count, () => {
      try {
        for (const request of requests) bindings.push(...this.#allocate(request, settings));
        return bindings;
      } catch (error) {
        this.release(bindings);
        throw error;
      }
    });
  }

  /**
   * Reserves exactly these, after a restart. Those that cannot be had, for another program took them or
   * their address is gone, are given back with the reason; the rest is reserved. What is reserved already
   * stays so. Throws KernelError for what is wrong with all of them; then none is newly reserved.
   */
  reserve(bindings: readonly PortBinding[]): readonly TakenPort[] {
    const taken: TakenPort[] = [];
    const reserved: PortBinding[] = [];
    return this.#sockets.batch(bindings.length, () => {
      try {
        for (const binding of bindings) {
          if (this.#book.get(binding)?.binding.port === binding.port) continue;
          const refusal = this.#take(binding);
          if (refusal === undefined) reserved.push(binding);
          else taken.push({ binding, reason: errorOf(refusal) });
        }
        return taken;
      } catch (error) {
        this.release(reserved);
        throw error;
      }
    });
  }

  /** Gives host ports up; those that are not reserved are passed over. Throws what went wrong, after all were tried. */
  release(bindings: readonly PortBinding[]): void {
    const errors: unknown[] = [];
    for (const binding of bindings) {
      const reservation = this.#book.get(binding);
      this.#book.delete(binding);
      if (reservation?.fd === undefined) continue;
      try {
        this.#sockets.close(reservation.fd);
      } catch (error) {
        errors.push(error);
      }
    }
    throwAll("releasing host ports", errors);
  }

  /**
   * {@link release} of what {@link allocate} gave, and only of that: whoever has one of those ports now by
   * another allocation keeps it.
   */
  giveBack(bindings: readonly PortBinding[]): void {
    this.release(bindings.filter((binding) => this.#book.get(binding)?.binding === binding));
  }

  /**
   * The socket that keeps a port: listening for tcp, bound for udp, undefined where nothing had to keep it.
   * It stays open until the port is released. Throws INTERNAL when the port is not reserved.
   */
  fdOf(binding: PortBinding): number | undefined {
    const reservation = this.#book.get(binding);
    if (reservation !== undefined) return reservation.fd;
    throw new WeftError("INTERNAL", `the host port ${formatHostPort(binding)} is not reserved`);
  }

  /** Gives all of them up. */
  close(): void {
    this.release(this.bindings);
  }

  #allocate(request: PortRequest, settings: () => EphemeralSettings): readonly PortBinding[] {
    const range = request.spec.hostPorts;
    if (range !== undefined && range.first === range.last) return this.#allocateExactly(request, range.first);
    const { preferred } = request;
    const eligible = preferred !== undefined && (range === undefined || isIn(preferred, range));
    if (eligible) {
      const bindings = bindingsOf(request, preferred);
      if (this.#takeUnlessUsed(bindings)) return bindings;
    }
    return range === undefined
      ? this.#allocateEphemeral(request, settings())
      : this.#allocateFirst(request, portsIn(range), formatRange(range));
  }

  #allocateExactly(request: PortRequest, hostPort: number): readonly PortBinding[] {
    const bindings = bindingsOf(request, hostPort);
    const refusal = this.#takeAll(bindings);
    if (refusal !== undefined) throw errorOf(refusal);
    return bindings;
  }

  #allocateEphemeral(request: PortRequest, settings: EphemeralSettings): readonly PortBinding[] {
    const { protocol } = request.spec;
    const ports = portsAfter(this.#last.get(protocol) ?? settings.range.last, settings);
    const bindings = this.#allocateFirst(request, ports, formatRange(settings.range));
    const hostPort = bindings[0]?.hostPort;
    if (hostPort !== undefined) this.#last.set(protocol, hostPort);
    return bindings;
  }

  /** Goes on to the last of `ports`: on a busy host many may be others'. */
  #allocateFirst(request: PortRequest, ports: Iterable<number>, range: string): readonly PortBinding[] {
    for (const hostPort of ports) {
      const bindings = bindingsOf(request, hostPort);
      if (this.#takeUnlessUsed(bindings)) return bindings;
    }
    const where = request.hostAddresses.join(" and ");
    throw new WeftError(
      "PORTS_EXHAUSTED",
      `all ports are allocated: none of ${range}/${request.spec.protocol} is free on ${where}`,
    );
  }

  /** False when one of them is in use. Throws what another port would not change. */
  #takeUnlessUsed(bindings: readonly PortBinding[]): boolean {
    const refusal = this.#takeAll(bindings);
    if (refusal?.why === "no-address") throw errorOf(refusal);
    return refusal === undefined;
  }

  /** Takes all, or none and says why. */
  #takeAll(bindings: readonly PortBinding[]): Refusal | undefined {
    const taken: PortBinding[] = [];
    let complete = false;
    try {
      for (const binding of bindings) {
        const refusal = this.#take(binding);
        if (refusal !== undefined) return refusal;
        taken.push(binding);
      }
      complete = true;
      return undefined;
    } finally {
      if (!complete) this.release(taken);
    }
  }

  #take(binding: PortBinding): Refusal | undefined {
    if (this.#book.conflicts(binding)) return { hostPort: binding, why: "published" };
    const opened = this.#sockets.open(binding);
    if (opened.kind !== "open") return { hostPort: binding, why: opened.kind };
    this.#book.add(binding, { binding, fd: opened.fd });
    return undefined;
  }
}

function bindingsOf({ spec, hostAddresses }: PortRequest, hostPort: number): readonly PortBinding[] {
  const { protocol, port } = spec;
  return hostAddresses.map((hostAddress) => ({ protocol, hostAddress, hostPort, port }));
}

function isIn(port: number, { first, last }: PortRange): boolean {
  return first <= port && port <= last;
}

function* portsIn({ first, last }: PortRange): Generator<number> {
  for (let port = first; port <= last; port++) yield port;
}

/** The words of Docker (LN §1.9), and of the kernel as Docker's users know them. */
function errorOf({ hostPort, why }: Refusal): WeftError {
  const details = { ...hostPort };
  if (why === "published") {
    const where = formatSocketAddress(hostPort.hostAddress, hostPort.hostPort);
    return new WeftError("PORT_IN_USE", `Bind for ${where} failed: port is already allocated`, { details });
  }
  const failed = `failed to bind host port ${formatHostPort(hostPort)}`;
  if (why === "taken") return new WeftError("PORT_IN_USE", `${failed}: address already in use`, { details });
  return new WeftError(
    "HOST_ADDRESS_MISSING",
    `${failed}: cannot assign requested address: the host has no address ${hostPort.hostAddress}`,
    { details },
  );
}
