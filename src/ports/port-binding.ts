import type { IpAddress } from "../core/index.ts";
import { formatSocketAddress, type PortProtocol } from "./protocol.ts";

/** One published port: where the host takes it, and where in the sandbox it leads. */
export interface PortBinding {
  readonly protocol: PortProtocol;
  /** One address of the host, or 0.0.0.0 or :: for all of that family. */
  readonly hostAddress: IpAddress;
  readonly hostPort: number;
  /** The port in the sandbox. */
  readonly port: number;
}

/** What a reservation is made of: no two sockets can have the same. */
export type HostPort = Pick<PortBinding, "protocol" | "hostAddress" | "hostPort">;

/** `0.0.0.0:80/tcp`, which names a reservation. */
export function formatHostPort({ protocol, hostAddress, hostPort }: HostPort): string {
  return `${formatSocketAddress(hostAddress, hostPort)}/${protocol}`;
}
