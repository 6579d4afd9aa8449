/** What a node has seen and done since its start; each only grows. */
export interface GossipCounters {
  packetsReceived: number;
  packetsSent: number;
  /** Of packets and of streams. */
  bytesReceived: number;
  /** Likewise. */
  bytesSent: number;
  streamsAccepted: number;
  probes: number;
  failedProbes: number;
  /** Suspicions that this node began, by its own probes or by what others say. */
  suspicions: number;
  /** Accusations of this very node, which it answered. */
  refutations: number;
  pushPulls: number;
  failedPushPulls: number;
  reconnects: number;
  /** What came and was dropped, by reason. */
  readonly refused: Record<Refusal, number>;
  /** Calls of the layer above that threw. */
  delegateFailures: number;
}

/**
 * Why something from outside was dropped: `label`: another cluster's; `undecryptable`: no key opens it; `crc`: changed
 * on its way; `malformed`: it cannot be read; `unknownType`; `wrongNode`: asked for another name; `absurd`: an
 * incarnation or version that no honest node has; `tooManyMembers`, `tooManyRequests`: over a limit; `conflict`:
 * another node has the name; `protocol`: versions that do not meet; `rejected`: by the layer above.
 */
export type Refusal =
  | "label"
  | "undecryptable"
  | "crc"
  | "malformed"
  | "unknownType"
  | "wrongNode"
  | "absurd"
  | "tooManyMembers"
  | "tooManyRequests"
  | "conflict"
  | "protocol"
  | "rejected";

export function newGossipCounters(): GossipCounters {
  return {
    packetsReceived: 0,
    packetsSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    streamsAccepted: 0,
    probes: 0,
    failedProbes: 0,
    suspicions: 0,
    refutations: 0,
    pushPulls: 0,
    failedPushPulls: 0,
    reconnects: 0,
    refused: {
      label: 0,
      undecryptable: 0,
      crc: 0,
      malformed: 0,
      unknownType: 0,
      wrongNode: 0,
      absurd: 0,
      tooManyMembers: 0,
      tooManyRequests: 0,
      conflict: 0,
      protocol: 0,
      rejected: 0,
    },
    delegateFailures: 0,
  };
}
