import type { GossipProfile } from "./profile.ts";

// memberlist's formulae (gossip.md B.9). `nodes` counts every node that is known, the dead ones too.

/** How often a message is passed on before it is dropped. */
export function retransmitLimit(mult: number, nodes: number): number {
  return mult * Math.ceil(Math.log10(nodes + 1));
}

/** Between what times a suspect is declared dead, ms, and how many independent confirmations lead to the first. */
export interface SuspicionTimes {
  readonly confirmations: number;
  readonly least: number;
  readonly most: number;
}

export function suspicionTimes(profile: GossipProfile, nodes: number): SuspicionTimes {
  const { suspicionMult, suspicionMaxTimeoutMult, probeInterval } = profile;
  const least = suspicionMult * Math.max(1, Math.log10(Math.max(1, nodes))) * probeInterval;
  // In small clusters there are not enough others to confirm: then nothing is waited for.
  const expected = suspicionMult - 2;
  return { confirmations: nodes - 2 < expected ? 0 : expected, least, most: suspicionMaxTimeoutMult * least };
}

/** How long after it began a suspicion ends, ms, once `confirmed` others have it too. */
export function suspicionTimeout({ confirmations, least, most }: SuspicionTimes, confirmed: number): number {
  if (confirmations < 1) return least;
  const share = Math.log(confirmed + 1) / Math.log(confirmations + 1);
  return Math.max(least, Math.floor(most - share * (most - least)));
}

const pushPullScaleAbove = 32;

/** The time between two push/pulls, ms: in clusters of more than 32 nodes it grows, or they would be most of the traffic. */
export function pushPullInterval(interval: number, nodes: number): number {
  if (nodes <= pushPullScaleAbove) return interval;
  return interval * (Math.ceil(Math.log2(nodes) - Math.log2(pushPullScaleAbove)) + 1);
}
