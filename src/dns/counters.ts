/** What the service has seen and done since it started; every figure only grows. */
export interface DnsCounters {
  /** Messages that came over UDP, whatever they were. */
  udpMessages: number;
  /** Messages that came over TCP, whatever they were. */
  tcpMessages: number;
  /** Messages left unanswered: responses, fewer than two bytes, or answers nobody could take. */
  dropped: number;
  /** Answers sent, by the four bits of their response code: index 0 is NOERROR, 3 NXDOMAIN. */
  readonly replies: number[];
  /** TCP connections taken. */
  connections: number;
  /** TCP connections closed at once because the sandbox had too many. */
  connectionsRefused: number;
  /** TCP connections ended because they stood still, or sent what is no DNS. */
  connectionsCut: number;
  /** Defects: messages at which the resolver threw. They are answered with SERVFAIL. */
  failures: number;
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
  };
}
