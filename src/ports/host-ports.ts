import { type IpAddress, throwAll, WeftError } from "../core/index.ts";
import { type EphemeralSettings, portsAfter } from "./ephemeral-ports.ts";
import { formatHostPort, type HostPort, type PortBinding } from "./port-binding.ts";
import { PortBook } from "./port-book.ts";
import { type Refusal, refusalError } from "./port-refusal.ts";
import type { PortSockets } from "./port-sockets.ts";
import { formatRange, type PortSpec } from "./port-spec.ts";
import type { PortProtocol, PortRange } from "./protocol.ts";

/** A port to publish. */
export interface PortRequest {
  readonly spec: PortSpec;
  /** Where to publish it, in place of the spec's own address; all of them get the same host port. */
  readonly hostAddresses: readonly IpAddress[];
  /** The host port to try first where there is a choice: the one it had before. */
  readonly preferred?: number;
}

/** Who has a port: a sandbox's id. */
export type PortOwner = string;

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
  /** Told before ports are taken, so that who is to serve them can get ready meanwhile. */
  readonly onTake?: () => void;
}

/** The socket that keeps a port, or the same port on all addresses of both families. */
export interface PortKeeper {
  /** Listening for tcp, bound for udp; undefined where nothing had to keep the port. Open until it is released. */
  readonly fd: number | undefined;
  /** The first of the ports that it keeps, as {@link formatHostPort} has it. */
  readonly name: string;
}

interface Reservation {
  readonly binding: PortBinding;
  readonly owner: PortOwner;
  readonly keeper: Keeper;
}

/** Who takes ports, and what of them is kept for others. */
interface Taker {
  readonly owner: PortOwner;
  readonly isPromised: (hostPort: HostPort) => boolean;
}

const nothingPromised = () => false;

interface Keeper extends PortKeeper {
  readonly keeps: Set<Reservation>;
}

/**
 * The host ports that weft has published. Each is kept by a bound socket, so that no other program can
 * take it and what others have is not given out; those sockets are this object's, whoever reads from them.
 */
export class HostPorts {
  readonly #sockets: PortSockets;
  readonly #settings: () => EphemeralSettings;
  readonly #onTake: () => void;
  readonly #book = new PortBook<Reservation>();
  /** The ephemeral port given last. */
  readonly #last: Map<PortProtocol, number>;
  #isTogether = false;

  constructor({ sockets, settings, last = new Map(), onTake = () => {} }: HostPortsInit) {
    this.#last = new Map(last);
    this.#sockets = sockets;
    this.#settings = settings;
    this.#onTake = onTake;
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

  /** True when this very port is reserved by `owner`. */
  has(owner: PortOwner, hostPort: HostPort): boolean {
    return this.#book.get(hostPort)?.owner === owner;
  }

  /**
   * Reserves a host port for each request on each of its addresses, all or nothing, and gives the bindings
   * in that order. What `isPromised` says is others' who are to have it again, it counts as theirs. Throws
   * PORT_IN_USE, PORTS_EXHAUSTED, HOST_ADDRESS_MISSING or KernelError.
   */
  allocate(
    owner: PortOwner,
    requests: readonly PortRequest[],
    isPromised: (hostPort: HostPort) => boolean = nothingPromised,
  ): readonly PortBinding[] {
    const taker = { owner, isPromised };
    const bindings: PortBinding[] = [];
    let known: EphemeralSettings | undefined;
    const settings = () => {
      known ??= this.#settings();
      return known;
    };
    this.#onTake();
    const count = requests.reduce((sum, { hostAddresses }) => sum + hostAddresses.length, 0);
    return this.#sockets.batch(count, () => {
      try {
        for (const request of requests) bindings.push(...this.#allocate(taker, request, settings));
        return bindings;
      } catch (error) {
        this.release(owner, bindings);
        throw error;
      }
    });
  }

  /** Runs `work`, which reserves about `count` ports for several owners: their way to the host is one. Throws KernelError. */
  together<T>(count: number, work: () => T): T {
    this.#onTake(); // not from there: a thread that it starts would begin in the host's namespace
    this.#isTogether = true;
    try {
      return this.#sockets.batch(count, work);
    } finally {
      this.#isTogether = false;
    }
  }

  /**
   * Reserves exactly these, after a restart. Those that cannot be had, for another program or owner took them or
   * their address is gone, are given back with the reason; the rest is reserved. What the owner has already
   * stays so. Throws KernelError for what is wrong with all of them; then none is newly reserved.
   */
  reserve(owner: PortOwner, bindings: readonly PortBinding[]): readonly TakenPort[] {
    const taker = { owner, isPromised: nothingPromised };
    const taken: TakenPort[] = [];
    const reserved: PortBinding[] = [];
    const isReserved = (binding: PortBinding) => {
      const reservation = this.#book.get(binding);
      return reservation?.owner === owner && reservation.binding.port === binding.port;
    };
    const missing = bindings.filter((binding) => !isReserved(binding));
    if (missing.length === 0) return taken;
    if (!this.#isTogether) this.#onTake();
    return this.#sockets.batch(missing.length, () => {
      try {
        let at = 0;
        for (let one = missing[at]; one !== undefined; one = missing[at]) {
          const outcome = this.#takeNext(taker, one, missing[at + 1]);
          if (typeof outcome === "number") {
            reserved.push(...missing.slice(at, at + outcome));
            at += outcome;
          } else {
            if (!isReserved(one)) taken.push({ binding: one, reason: refusalError(outcome) });
            at++;
          }
        }
        return taken;
      } catch (error) {
        this.release(owner, reserved);
        throw error;
      }
    });
  }

  /**
   * Gives host ports of an owner's up; others are passed over. What shared a socket with one of them has
   * another one then, see {@link keeperOf}. Throws what went wrong, after all were tried.
   */
  release(owner: PortOwner, bindings: readonly PortBinding[]): void {
    const errors: unknown[] = [];
    const keepers = new Set<Keeper>();
    for (const binding of bindings) {
      const reservation = this.#book.get(binding);
      if (reservation?.owner !== owner) continue;
      this.#book.delete(binding);
      reservation.keeper.keeps.delete(reservation);
      keepers.add(reservation.keeper);
    }
    for (const { fd, keeps } of keepers) {
      try {
        if (fd === undefined) continue;
        if (keeps.size === 0) this.#sockets.close(fd);
        else this.#sockets.batch(keeps.size, () => this.#keepAlone(fd, [...keeps]));
      } catch (error) {
        errors.push(error);
      }
    }
    throwAll("releasing host ports", errors);
  }

  /**
   * {@link release} of what {@link allocate} gave, and only of that: what the owner has by another allocation now
   * it keeps.
   */
  giveBack(owner: PortOwner, bindings: readonly PortBinding[]): void {
    this.release(
      owner,
      bindings.filter((binding) => this.#book.get(binding)?.binding === binding),
    );
  }

  /** What keeps an owner's port, until it or the one that shares the socket is released. Throws INTERNAL when it is not reserved. */
  keeperOf(owner: PortOwner, binding: PortBinding): PortKeeper {
    const reservation = this.#book.get(binding);
    if (reservation?.owner === owner) return reservation.keeper;
    throw new WeftError("INTERNAL", `the host port ${formatHostPort(binding)} is not reserved`);
  }

  /** Gives all of them up. */
  close(): void {
    const owners = new Set([...this.#book.values()].map(({ owner }) => owner));
    for (const owner of owners) this.release(owner, this.bindings);
  }

  #allocate(taker: Taker, request: PortRequest, settings: () => EphemeralSettings): readonly PortBinding[] {
    const range = request.spec.hostPorts;
    if (range !== undefined && range.first === range.last)
      return this.#allocateExactly(taker, request, range.first);
    const { preferred } = request;
    const eligible = preferred !== undefined && (range === undefined || isIn(preferred, range));
    if (eligible) {
      const bindings = bindingsOf(request, preferred);
      if (this.#takeUnlessUsed(taker, bindings)) return bindings;
    }
    return range === undefined
      ? this.#allocateEphemeral(taker, request, settings())
      : this.#allocateFirst(taker, request, portsIn(range), formatRange(range));
  }

  #allocateExactly(taker: Taker, request: PortRequest, hostPort: number): readonly PortBinding[] {
    const bindings = bindingsOf(request, hostPort);
    const refusal = this.#takeAll(taker, bindings);
    if (refusal !== undefined) throw refusalError(refusal);
    return bindings;
  }

  #allocateEphemeral(
    taker: Taker,
    request: PortRequest,
    settings: EphemeralSettings,
  ): readonly PortBinding[] {
    const { protocol } = request.spec;
    const ports = portsAfter(this.#last.get(protocol) ?? settings.range.last, settings);
    const bindings = this.#allocateFirst(taker, request, ports, formatRange(settings.range));
    const hostPort = bindings[0]?.hostPort;
    if (hostPort !== undefined) this.#last.set(protocol, hostPort);
    return bindings;
  }

  /** Goes on to the last of `ports`: on a busy host many may be others'. */
  #allocateFirst(
    taker: Taker,
    request: PortRequest,
    ports: Iterable<number>,
    range: string,
  ): readonly PortBinding[] {
    for (const hostPort of ports) {
      const bindings = bindingsOf(request, hostPort);
      if (this.#takeUnlessUsed(taker, bindings)) return bindings;
    }
    const where = request.hostAddresses.join(" and ");
    throw new WeftError(
      "PORTS_EXHAUSTED",
      `all ports are allocated: none of ${range}/${request.spec.protocol} is free on ${where}`,
    );
  }

  /** False when one of them is in use. Throws what another port would not change. */
  #takeUnlessUsed(taker: Taker, bindings: readonly PortBinding[]): boolean {
    const refusal = this.#takeAll(taker, bindings);
    if (refusal?.why === "no-address") throw refusalError(refusal);
    return refusal === undefined;
  }

  /** Takes all, or none and says why. */
  #takeAll(taker: Taker, bindings: readonly PortBinding[]): Refusal | undefined {
    let taken = 0;
    try {
      for (let one = bindings[taken]; one !== undefined; one = bindings[taken]) {
        const outcome = this.#takeNext(taker, one, bindings[taken + 1]);
        if (typeof outcome !== "number") return outcome;
        taken += outcome;
      }
      return undefined;
    } finally {
      if (taken < bindings.length) this.release(taker.owner, bindings.slice(0, taken));
    }
  }

  /**
   * Takes `one`, with `next` where they are a port of both families that one socket can keep, for each costs time
   * and a descriptor. Gives how many it took, or why it could not take the first.
   */
  #takeNext(taker: Taker, one: PortBinding, next: PortBinding | undefined): 1 | 2 | Refusal {
    if (next !== undefined && this.#takeBoth(taker, one, next)) return 2;
    return this.#take(taker, one) ?? 1;
  }

  #take({ owner, isPromised }: Taker, binding: PortBinding): Refusal | undefined {
    if (this.#book.conflicts(binding) || isPromised(binding)) return { hostPort: binding, why: "published" };
    const opened = this.#sockets.open(binding);
    if (opened.kind !== "open") return { hostPort: binding, why: opened.kind };
    this.#keep(owner, opened.fd, [binding]);
    return undefined;
  }

  /** False when they are not one port of both families, or cannot be had together. */
  #takeBoth({ owner, isPromised }: Taker, four: PortBinding, six: PortBinding): boolean {
    const { protocol, hostPort } = four;
    if (protocol === "sctp" || protocol !== six.protocol || hostPort !== six.hostPort) return false;
    if (four.hostAddress !== "0.0.0.0" || six.hostAddress !== "::") return false;
    if (this.#book.conflicts(four) || this.#book.conflicts(six)) return false;
    if (isPromised(four) || isPromised(six)) return false;
    const fd = this.#sockets.openBoth({ protocol, hostPort });
    if (fd === undefined) return false;
    this.#keep(owner, fd, [four, six]);
    return true;
  }

  #keep(owner: PortOwner, fd: number | undefined, bindings: readonly [PortBinding, PortBinding?]): void {
    const keeper: Keeper = { fd, name: formatHostPort(bindings[0]), keeps: new Set() };
    for (const binding of bindings) {
      if (binding === undefined) continue;
      const reservation = { binding, owner, keeper };
      keeper.keeps.add(reservation);
      this.#book.add(binding, reservation);
    }
  }

  /** Keeps what shared a socket with what was released, which nobody may be kept from taking. */
  #keepAlone(shared: number, left: readonly Reservation[]): void {
    for (const { binding } of left) this.#book.delete(binding);
    this.#sockets.close(shared);
    for (const { binding, owner } of left) {
      const refusal = this.#take({ owner, isPromised: nothingPromised }, binding);
      if (refusal !== undefined) throw refusalError(refusal); // another program was faster
    }
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
