/** The timing of membership, and the sizes that go with it; memberlist's names and values (gossip.md B.9). All times in ms. */
export interface GossipProfile {
  /** One member is probed each time; with ill local health, later. */
  readonly probeInterval: number;
  /** How long a direct probe may take before others are asked to probe. */
  readonly probeTimeout: number;
  /** How many others are asked. */
  readonly indirectChecks: number;
  readonly gossipInterval: number;
  /** To how many members each time. */
  readonly gossipNodes: number;
  /** How long the dead are told too, so that those who live can object. */
  readonly gossipToTheDead: number;
  /** A message is passed on this often times ceil(log10(members + 1)). */
  readonly retransmitMult: number;
  /** A suspect is declared dead after this times log10(members) probe intervals, at the soonest. */
  readonly suspicionMult: number;
  /** ... and this much later, as long as nobody else suspects it. */
  readonly suspicionMaxTimeoutMult: number;
  /** Whole states are exchanged with one member each time; less often in large clusters. 0: never. */
  readonly pushPullInterval: number;
  /** For connecting and for a whole exchange. */
  readonly tcpTimeout: number;
  /** Ill local health stretches the probe interval up to this many times. */
  readonly awarenessMaxMultiplier: number;
  /** A packet's budget in bytes; there is no path-MTU discovery. */
  readonly packetBudget: number;
  /** Asks by TCP, beside the others, who did not answer by UDP. */
  readonly tcpPings: boolean;
  /** A dead node's name may be had by another address after so long; 0: never. Who left gives it up at once. */
  readonly deadNodeReclaim: number;
  /** A failed member is connected to again each time, by chance, so that cut-off parts of a cluster find together. 0: never. */
  readonly reconnectInterval: number;
  /** After so long a failed member is given up. */
  readonly reconnectTimeout: number;
}

/** One data centre; what Serf and libnetwork run by default. */
export const lanProfile: GossipProfile = {
  probeInterval: 1000,
  probeTimeout: 500,
  indirectChecks: 3,
  gossipInterval: 200,
  gossipNodes: 3,
  gossipToTheDead: 30_000,
  retransmitMult: 4,
  suspicionMult: 4,
  suspicionMaxTimeoutMult: 6,
  pushPullInterval: 30_000,
  tcpTimeout: 10_000,
  awarenessMaxMultiplier: 8,
  packetBudget: 1400,
  tcpPings: true,
  deadNodeReclaim: 0,
  reconnectInterval: 30_000,
  reconnectTimeout: 24 * 3600_000,
};

/** Between data centres. */
export const wanProfile: GossipProfile = {
  ...lanProfile,
  probeInterval: 5000,
  probeTimeout: 3000,
  gossipInterval: 500,
  gossipNodes: 4,
  gossipToTheDead: 60_000,
  suspicionMult: 6,
  pushPullInterval: 60_000,
  tcpTimeout: 30_000,
};

/** One machine. */
export const localProfile: GossipProfile = {
  ...lanProfile,
  probeTimeout: 200,
  indirectChecks: 1,
  gossipInterval: 100,
  gossipToTheDead: 15_000,
  retransmitMult: 2,
  suspicionMult: 3,
  pushPullInterval: 15_000,
  tcpTimeout: 1000,
};

/** The profiles by the names that Serf has for them. */
export const gossipProfiles = { lan: lanProfile, wan: wanProfile, local: localProfile } as const;
