/** The first byte of a message; the numbers are memberlist's (gossip.md B.2). */
export const messageType = {
  ping: 0,
  indirectPing: 1,
  ack: 2,
  suspect: 3,
  alive: 4,
  dead: 5,
  pushPull: 6,
  compound: 7,
  user: 8,
  compress: 9,
  encrypt: 10,
  nack: 11,
  hasCrc: 12,
  error: 13,
  hasLabel: 244,
} as const;

/** The limits of memberlist (gossip.md B.4, B.6), bytes unless named otherwise, and our own where it has none. */
export const wireLimits = {
  /** A UDP datagram, also after it was decompressed. */
  packet: 65_536,
  /** A stream's message after it was decompressed. */
  decompressed: 40 << 20,
  /** A stream's message before. */
  stream: 20 << 20,
  userMessage: 20 << 20,
  /** Nodes in one push/pull. */
  nodes: 1 << 20,
  /** Meta of a node. */
  meta: 512,
  /** A node's name; ours. Serf's names end at 128. */
  name: 255,
  /** What an ack carries for the ping delegate; ours. */
  ackPayload: 1024,
} as const;
