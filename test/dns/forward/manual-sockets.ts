import type { UpstreamServer, UpstreamSocketEvents, UpstreamSockets } from "../../../src/dns/index.ts";
import { addresses } from "../samples.ts";
import { type ResponseParts, responseTo } from "./upstream-samples.ts";

/** A query that was sent, for a test to answer. */
export class SentQuery {
  readonly server: string;
  readonly transport: "udp" | "tcp";
  readonly query: Uint8Array;
  readonly #events: UpstreamSocketEvents;
  closed = false;

  constructor(server: string, transport: "udp" | "tcp", query: Uint8Array, events: UpstreamSocketEvents) {
    this.server = server;
    this.transport = transport;
    this.query = query;
    this.#events = events;
  }

  /** Lets any message come. */
  deliver(message: Uint8Array): void {
    if (!this.closed) this.#events.message(message);
  }

  /** Answers the query. */
  answer(parts: ResponseParts = {}): void {
    this.deliver(responseTo(this.query, parts));
  }

  /** Breaks the socket. */
  fail(): void {
    if (!this.closed) this.#events.failed();
  }
}

/** Sockets whose other end is a test. */
export class ManualSockets implements UpstreamSockets {
  /** All queries, in the order in which they were sent. */
  readonly sent: SentQuery[] = [];
  /** Addresses of servers to which no socket can be opened. */
  readonly unreachable = new Set<string>();

  /** How many sockets are open. */
  get open(): number {
    return this.sent.filter(({ closed }) => !closed).length;
  }

  /** The query that was sent last. */
  get last(): SentQuery {
    const last = this.sent.at(-1);
    if (last === undefined) throw new Error("nothing was sent");
    return last;
  }

  /** "10.0.0.1 udp" for each query sent, in order. */
  get log(): readonly string[] {
    return this.sent.map(({ server, transport }) => `${server} ${transport}`);
  }

  udp(server: UpstreamServer, query: Uint8Array, events: UpstreamSocketEvents) {
    return this.#send(server, "udp", query, events);
  }

  tcp(server: UpstreamServer, query: Uint8Array, events: UpstreamSocketEvents) {
    return this.#send(server, "tcp", query, events);
  }

  #send(server: UpstreamServer, transport: "udp" | "tcp", query: Uint8Array, events: UpstreamSocketEvents) {
    if (this.unreachable.has(server.address)) throw new Error("ENETUNREACH");
    const sent = new SentQuery(server.address, transport, Buffer.from(query), events);
    this.sent.push(sent);
    return {
      close: () => {
        sent.closed = true;
      },
    };
  }
}

/** Servers at these addresses in one namespace. */
export function servers(...texts: readonly string[]): readonly UpstreamServer[] {
  return addresses(...texts).map((address) => ({ address, netns: "/host" }));
}
