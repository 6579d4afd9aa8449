import type { Events, IpAddress, WeftError } from "../core/index.ts";

/** One reserved port that is to be served in user space. */
export interface PortProxy {
  /** Names it towards {@link PortProxies}; the caller's choice. */
  readonly id: string;
  readonly protocol: "tcp" | "udp";
  /**
   * The socket that keeps the port: listening for tcp; bound for udp, with IP_PKTINFO or IPV6_RECVPKTINFO set.
   * It stays the caller's, who closes it only when it is served no more: see {@link PortProxies.stop}.
   */
  readonly fd: number;
  /** The sandbox's address and port, reached from the host's namespace. */
  readonly target: IpAddress;
  readonly targetPort: number;
  /** In their place for clients of IPv4, where the socket is of IPv6 and takes these too. */
  readonly ipv4Target?: { readonly address: IpAddress; readonly port: number };
}

/** What proxies did since they were started, and do now. */
export interface ProxyStats {
  /** Ports served now. */
  readonly ports: number;
  /** TCP connections open now. */
  readonly openConnections: number;
  /** UDP sessions open now. */
  readonly openSessions: number;
  readonly counters: Readonly<ProxyCounters>;
}

/** Figures that only grow. */
export interface ProxyCounters {
  /** TCP connections accepted. */
  connections: number;
  /** TCP connections whose target refused, was not reached in time, or had no socket left to reach it with. */
  connectionFailures: number;
  /** Times that a port left its clients waiting because it, or all together, had enough connections. */
  heldBack: number;
  /** UDP sessions begun. */
  sessions: number;
  /** UDP sessions that could not begin, or whose target refused. */
  sessionFailures: number;
  /** UDP sessions given up before their time for newer ones. */
  sessionsEvicted: number;
  /** Datagrams that could not be passed on. */
  datagramsDropped: number;
  /** Bytes passed on from clients to targets. */
  bytesIn: number;
  /** Bytes passed on from targets to clients. */
  bytesOut: number;
}

/** Figures that stand at zero. */
export function newProxyCounters(): ProxyCounters {
  return {
    connections: 0,
    connectionFailures: 0,
    heldBack: 0,
    sessions: 0,
    sessionFailures: 0,
    sessionsEvicted: 0,
    datagramsDropped: 0,
    bytesIn: 0,
    bytesOut: 0,
  };
}

/** What happens to proxies by themselves. */
export interface PortProxiesEvent {
  /** Nothing is served any more. The ports stay reserved: start anew, and serve them again. */
  readonly kind: "crashed";
  readonly error: WeftError;
}

/**
 * Serves reserved ports where NAT cannot: for clients of [::1], for IPv6 clients of a sandbox that has IPv4
 * only, and for everybody in the moment in which somebody flushed the rules. By {@link ProxyService}, or in
 * memory for tests, by MemoryPortProxies.
 */
export interface PortProxies {
  /** See {@link PortProxiesEvent}. */
  readonly events: Events<PortProxiesEvent>;
  /**
   * Serves all of these, or none; resolves when all are served. Rejects with OBJECT_CONFLICT when one of the
   * ids is served already, and KERNEL when a descriptor is no such socket.
   */
  serve(proxies: readonly PortProxy[]): Promise<void>;
  /**
   * Ends the service of these, with their connections; ids that are not served are passed over. When it
   * resolves, releasing the port frees it.
   */
  stop(ids: readonly string[]): Promise<void>;
  stats(): Promise<ProxyStats>;
  /** Ends all of it. */
  close(): Promise<void>;
}
