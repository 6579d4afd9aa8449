import { familyOf, type IpAddress } from "../core/index.ts";
import type { HostPort } from "./port-binding.ts";
import { isUnspecified, maxPort, type PortProtocol } from "./protocol.ts";

/** A reserved host port, and whatever keeps it reserved. */
interface Entry<T> {
  readonly hostAddress: IpAddress;
  readonly value: T;
}

/**
 * Which host ports are reserved. The kernel's rule: an address conflicts with itself, and 0.0.0.0 with
 * every IPv4 address, :: with every IPv6 address; the families do not see one another.
 */
export class PortBook<T> {
  /** By protocol, family and port; hardly ever more than one address. */
  readonly #entries = new Map<Place, Entry<T>[]>();
  #size = 0;

  /** How many are reserved. */
  get size(): number {
    return this.#size;
  }

  /** True when `wanted` cannot be reserved beside what is. */
  conflicts(wanted: HostPort): boolean {
    const entries = this.#entries.get(placeOf(wanted));
    return entries?.some((one) => overlap(one.hostAddress, wanted.hostAddress)) === true;
  }

  /** What {@link add} was given for exactly this host port. */
  get(hostPort: HostPort): T | undefined {
    return this.#entries.get(placeOf(hostPort))?.find((one) => one.hostAddress === hostPort.hostAddress)
      ?.value;
  }

  /** Reserves a host port that conflicts with none. */
  add(hostPort: HostPort, value: T): void {
    const place = placeOf(hostPort);
    const entry = { hostAddress: hostPort.hostAddress, value };
    const entries = this.#entries.get(place);
    if (entries === undefined) this.#entries.set(place, [entry]);
    else entries.push(entry);
    this.#size++;
  }

  /** Forgets a host port; no harm when it is not reserved. */
  delete(hostPort: HostPort): void {
    const place = placeOf(hostPort);
    const entries = this.#entries.get(place);
    const index = entries?.findIndex((one) => one.hostAddress === hostPort.hostAddress) ?? -1;
    if (entries === undefined || index < 0) return;
    entries.splice(index, 1);
    if (entries.length === 0) this.#entries.delete(place);
    this.#size--;
  }

  /** All that was given to {@link add} and not deleted. */
  *values(): Generator<T> {
    for (const entries of this.#entries.values()) for (const { value } of entries) yield value;
  }
}

/** True when two host ports cannot both be reserved. */
export function sharePort(a: HostPort, b: HostPort): boolean {
  return placeOf(a) === placeOf(b) && overlap(a.hostAddress, b.hostAddress);
}

/** Of one family. */
function overlap(a: IpAddress, b: IpAddress): boolean {
  return a === b || isUnspecified(a) || isUnspecified(b);
}

/** Protocol, family and port in one number, of which maps find hundreds in less time than of texts. */
type Place = number;

const protocolPlaces: Readonly<Record<PortProtocol, number>> = { tcp: 0, udp: 1, sctp: 2 };

function placeOf({ protocol, hostAddress, hostPort }: HostPort): Place {
  const family = familyOf(hostAddress) === 4 ? 0 : 1;
  return (protocolPlaces[protocol] * 2 + family) * (maxPort + 1) + hostPort;
}
