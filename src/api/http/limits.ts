/** How much a client may ask of the server, and how long it may take. Times are ms. */
export interface HttpLimits {
  /** Until a request's head has to be there, from its first byte or the connection's start. */
  readonly headersMs: number;
  /** Until its body has to be there, after that. */
  readonly bodyMs: number;
  /** How often the two above are looked at. */
  readonly checkMs: number;
  /** The longest body that is read. */
  readonly bodyBytes: number;
  /** Connections at a time; one more is refused. */
  readonly connections: number;
  /** An event stream that has nothing to tell sends an empty line so often. */
  readonly heartbeatMs: number;
  /** A stream's first item, or its refusal, is waited for so long before the answer's head is sent. */
  readonly firstItemMs: number;
  /** A connection that is closed with something unread stays half open so long, for its client to read why. */
  readonly lingerMs: number;
}

/** What the daemon grants. */
export const defaultLimits: HttpLimits = {
  headersMs: 10_000,
  bodyMs: 30_000,
  checkMs: 1000,
  bodyBytes: 1_048_576,
  connections: 1024,
  heartbeatMs: 15_000,
  firstItemMs: 100,
  lingerMs: 1000,
};
