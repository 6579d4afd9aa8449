import { maxPort, type PortRange } from "./protocol.ts";

/** Which host ports are given to whoever names none. */
export interface EphemeralSettings {
  readonly range: PortRange;
  /** Ports of the range that are left to others. */
  readonly reserved: readonly PortRange[];
}

/** What is used where the kernel tells no range: the dynamic ports of RFC 6335 §6, but for 49152 (LN §1.9). */
export const fallbackRange: PortRange = { first: 49_153, last: maxPort };

/**
 * The host's own settings: `net/ipv4/ip_local_port_range`, which holds for IPv6 too, less
 * `net/ipv4/ip_local_reserved_ports`. `sysctl` gives a key's text, or undefined when there is none.
 */
export function ephemeralSettings(sysctl: (key: string) => string | undefined): EphemeralSettings {
  return {
    range: parseLocalPortRange(sysctl("net/ipv4/ip_local_port_range") ?? ""),
    reserved: parseReservedPorts(sysctl("net/ipv4/ip_local_reserved_ports") ?? ""),
  };
}

/** Reads `32768\t60999`; {@link fallbackRange} for what is no range. */
export function parseLocalPortRange(text: string): PortRange {
  const [, first, last] = /^\s*(\d+)\s+(\d+)\s*$/.exec(text) ?? [];
  return rangeOf(first, last) ?? fallbackRange;
}

/** Reads `8080,9000-9010`; parts that are no ports are left out. */
export function parseReservedPorts(text: string): readonly PortRange[] {
  return text.split(",").flatMap((part) => {
    const [, first, last] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
    return rangeOf(first, last ?? first) ?? [];
  });
}

function rangeOf(first: string | undefined, last: string | undefined): PortRange | undefined {
  const range = { first: Number(first), last: Number(last) }; // NaN for undefined, which no comparison lets pass
  return range.first >= 1 && range.last >= range.first && range.last <= maxPort ? range : undefined;
}

/**
 * Every port of the range that is not reserved, once, beginning after `previous` and going round at the
 * end, so that a port that was given up is not given to another at once; from the start of the range when
 * `previous` is not in it.
 */
export function* portsAfter(previous: number, { range, reserved }: EphemeralSettings): Generator<number> {
  const { first, last } = range;
  const start = previous >= first && previous < last ? previous + 1 : first;
  const isReserved = (port: number) => reserved.some((one) => one.first <= port && port <= one.last);
  for (let port = start; port <= last; port++) if (!isReserved(port)) yield port;
  for (let port = first; port < start; port++) if (!isReserved(port)) yield port;
}
