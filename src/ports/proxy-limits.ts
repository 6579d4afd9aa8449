/** What proxies may use, and how long they wait; all times in ms. */
export interface ProxyLimits {
  /** TCP connections at a time; further clients wait in the kernel's queue. */
  readonly maxConnections: number;
  /** The same for one port, so that none can use up all of them. */
  readonly maxConnectionsPerPort: number;
  /** How long a target may take to accept. */
  readonly connectTimeoutMs: number;
  /** UDP sessions at a time; the one that was idle longest makes room. */
  readonly maxSessions: number;
  readonly maxSessionsPerPort: number;
  /** A session without an answer ends after this long without a datagram: as conntrack does. */
  readonly sessionIdleMs: number;
  /** A session that went both ways ends after this long without a datagram: as conntrack does. */
  readonly sessionAnsweredIdleMs: number;
}

/** Limits for a process that may open `maxDescriptors` files: proxies use at most half of them. */
export function proxyLimits(maxDescriptors: number): ProxyLimits {
  // A connection has two sockets, a session one.
  const maxConnections = Math.max(1, Math.min(8192, Math.floor(maxDescriptors / 8)));
  const maxSessions = Math.max(1, Math.min(16_384, Math.floor(maxDescriptors / 4)));
  return {
    maxConnections,
    maxConnectionsPerPort: Math.ceil(maxConnections / 4),
    connectTimeoutMs: 10_000,
    maxSessions,
    maxSessionsPerPort: Math.ceil(maxSessions / 4),
    sessionIdleMs: 30_000,
    sessionAnsweredIdleMs: 180_000,
  };
}
