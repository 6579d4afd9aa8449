import type { UpstreamServer } from "./upstream-server.ts";

/** What a socket tells whoever opened it; nothing after it was closed, and never before it was returned. */
export interface UpstreamSocketEvents {
  /** A whole message came; it belongs to whoever is told. */
  readonly message: (message: Uint8Array) => void;
  /** No message can come any more: refused, unreachable, ended. */
  readonly failed: () => void;
}

/** A socket with a query under way. */
export interface UpstreamSocket {
  close(): void;
}

/** Opens sockets towards upstream servers; injected so that tests answer by hand. */
export interface UpstreamSockets {
  /**
   * Sends `query` from a new UDP socket, on a port of its own, in the server's namespace. Throws when
   * that cannot be done, e.g. because the namespace is gone.
   */
  udp(server: UpstreamServer, query: Uint8Array, events: UpstreamSocketEvents): UpstreamSocket;
  /** The same over a new TCP connection. */
  tcp(server: UpstreamServer, query: Uint8Array, events: UpstreamSocketEvents): UpstreamSocket;
}
