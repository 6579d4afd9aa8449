/** What the service has seen and done since it started; every figure only grows. */
export interface DnsCounters {
  /** Messages that came over UDP, whatever they were. */
  udpMessages: number;
  /** Messages that came over TCP, whatever they were. */
  tcpMessages: number;
  /** Messages left unanswered: responses, fewer than two bytes, answers nobody could take, too many at once. */
  dropped: number;
  /** Answers sent, by the four bits of their response code: index 0 is NOERROR, 3 NXDOMAIN. */
  readonly replies: number[];
  /** TCP connections taken. */
  connections: number;
  /** TCP connections that could not be taken, for want of descriptors or because all sandboxes together have too many. */
  connectionsRefused: number;
  /** TCP connections ended because they stood still, sent what is no DNS, or had to make way for newer ones. */
  connectionsCut: number;
  /** Defects: messages at which the resolver threw. They are answered with SERVFAIL. */
  failures: number;
  /** Questions for names of nobody's here, for which there are upstream servers. */
  forwarded: number;
  /** Of these, answered from the cache. */
  cacheHits: number;
  /** Of these, asked while others waited for the same, and answered with them. */
  deduplicated: number;
  /** Questions that were not looked up, and queries not sent, because too many were under way. */
  limited: number;
  /** Queries sent to upstream servers, over either transport. */
  upstreamQueries: number;
  /** Of these, those sent over TCP, because an answer did not fit into a datagram or seemed forged. */
  upstreamOverTcp: number;
  /** Times that an upstream server said nothing for so long that it was taken for silent. */
  upstreamTimeouts: number;
  /** Times that an upstream server went down, see UpstreamStatus. */
  serversDown: number;
  /** Messages from upstream servers' addresses that answer no question of ours. */
  strayAnswers: number;
}

/** Counters that stand at zero. */
export function newCounters(): DnsCounters {
  return {
    udpMessages: 0,
    tcpMessages: 0,
    dropped: 0,
    replies: new Array<number>(16).fill(0),
    connections: 0,
    connectionsRefused: 0,
    connectionsCut: 0,
    failures: 0,
    forwarded: 0,
    cacheHits: 0,
    deduplicated: 0,
    limited: 0,
    upstreamQueries: 0,
    upstreamOverTcp: 0,
    upstreamTimeouts: 0,
    serversDown: 0,
    strayAnswers: 0,
  };
}
