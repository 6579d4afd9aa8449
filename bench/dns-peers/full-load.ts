import { type Load, type LoadFigures, load } from "./dnsperf.ts";
import type { NamePeer } from "./peer.ts";
import { quantile } from "./quantile.ts";

/** What is asked for: `dnsperf -c 8 -q 200`. */
const full: Load = { clients: 8, outstanding: 200 };

/** One server under full load; medians of the rounds. */
export interface PeerFigures {
  readonly name: string;
  readonly queriesPerSecond: number;
  /** Weft's queries a second by this one's, round by round: what else the machine does changes from one to the next. */
  readonly weftTimes: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly lost: number;
  /** Queries a second of each round. */
  readonly rounds: readonly number[];
}

/** Asks every peer in turn, weft first, round by round, so that what else the machine does falls on all of them. */
export async function underFullLoad(
  peers: readonly NamePeer[],
  rounds: number,
  seconds: number,
): Promise<readonly PeerFigures[]> {
  const found = new Map<NamePeer, RoundFigures[]>(peers.map((peer) => [peer, []]));
  for (const peer of peers) await load(peer, full, 1); // until its code is warm
  for (let round = 0; round < rounds; round++)
    for (const [peer, figures] of found) figures.push(roundFigures(await load(peer, full, seconds)));
  const [ours = []] = found.values();
  return [...found].map(([{ name }, figures]) => summary(name, figures, ours));
}

interface RoundFigures {
  readonly queriesPerSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly lost: number;
}

function roundFigures({ queriesPerSecond, latenciesMs, lost }: LoadFigures): RoundFigures {
  const [medianMs, p99Ms] = [quantile(latenciesMs, 0.5), quantile(latenciesMs, 0.99)];
  return { queriesPerSecond, medianMs, p99Ms, lost };
}

function summary(name: string, figures: readonly RoundFigures[], ours: readonly RoundFigures[]): PeerFigures {
  const times = figures.map((one, round) => (ours[round]?.queriesPerSecond ?? 0) / one.queriesPerSecond);
  const median = (of: (one: RoundFigures) => number) => quantile(figures.map(of), 0.5);
  return {
    name,
    queriesPerSecond: median((one) => one.queriesPerSecond),
    weftTimes: quantile(times, 0.5),
    medianMs: median((one) => one.medianMs),
    p99Ms: median((one) => one.p99Ms),
    lost: figures.reduce((sum, { lost }) => sum + lost, 0),
    rounds: figures.map((one) => Math.round(one.queriesPerSecond)),
  };
}
