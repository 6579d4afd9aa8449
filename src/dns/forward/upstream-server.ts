import type { IpAddress } from "../../core/index.ts";

/** A name server, and the network namespace that it is asked from. */
export interface UpstreamServer {
  readonly address: IpAddress;
  /** For a link-local address: the interface it is behind, by its name in `netns`. */
  readonly zone?: string;
  /** 53 when absent. */
  readonly port?: number;
  /**
   * Path of the namespace: the host's for a server that the host uses itself, also one at its loopback
   * address; the sandbox's own for a server that the user named.
   */
  readonly netns: string;
}

/** Who is asked for the names that a sandbox's networks do not know. */
export interface Forwarding {
  /** In the order in which they are asked. With none of them nothing is forwarded. */
  readonly servers: readonly UpstreamServer[];
  /**
   * The `ndots` that the user set for the sandbox; absent when weft chose it. With one above 0, A and
   * AAAA of a name without a dot are answered empty and not forwarded, for the client's search domains
   * come first then (LN §6).
   */
  readonly ndots?: number;
  /**
   * Path of the sandbox's own namespace. {@link resolverAddress} is this very resolver there, which
   * would ask itself, so a server of that address and namespace is left out.
   */
  readonly ownNetns?: string;
}

/** Where sandboxes find weft's resolver, and Docker's. */
export const resolverAddress = "127.0.0.11";

const dnsPort = 53;

/** The port of a server, 53 unless it says otherwise. */
export function portOf({ port }: UpstreamServer): number {
  return port ?? dnsPort;
}

/** Two servers of one key are one: the same address and port, asked from the same namespace. */
export function serverKey(server: UpstreamServer): string {
  return `${server.address}%${server.zone ?? ""} ${portOf(server)} ${server.netns}`;
}

/** The servers that can be asked: each once, and never this resolver itself. */
export function usableServers({ servers, ownNetns }: Forwarding): readonly UpstreamServer[] {
  const usable = servers.filter(({ address, netns }) => address !== resolverAddress || netns !== ownNetns);
  return [...new Map(usable.map((server) => [serverKey(server), server])).values()];
}
