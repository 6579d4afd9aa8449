import { type IpAddress, isIpv6 } from "../core/index.ts";

/** A transport whose ports can be published. */
export type PortProtocol = "tcp" | "udp" | "sctp";

/** Every {@link PortProtocol}. */
export const portProtocols: readonly PortProtocol[] = ["tcp", "udp", "sctp"];

/** The greatest port number; 0 is none. */
export const maxPort = 65_535;

/** A run of port numbers, both ends in it. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** True for 0.0.0.0 and ::, which stand for every address of their family. */
export function isUnspecified(address: IpAddress): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** `address:port`, with an IPv6 address in brackets. */
export function formatSocketAddress(address: IpAddress, port: number): string {
  return isIpv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
