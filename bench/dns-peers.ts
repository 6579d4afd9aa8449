// npm run bench:dns                          weft's resolver beside others, as tables
// npm run bench:dns -- --json                the same as JSON
// npm run bench:dns -- --rounds 9 --seconds 5
import { parseArgs } from "node:util";
import { withNetns } from "../test/netns-fixture.ts";
import { withAardvark } from "./dns-peers/aardvark.ts";
import { type DeletionFigures, deletions, type LatencyFigures } from "./dns-peers/deletions.ts";
import { type Load, type LoadFigures, load } from "./dns-peers/dnsperf.ts";
import { withDocker } from "./dns-peers/docker.ts";
import { withEcho } from "./dns-peers/echo.ts";
import type { NamePeer } from "./dns-peers/peer.ts";
import { quantile } from "./dns-peers/quantile.ts";
import { withWeft } from "./dns-peers/weft.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "3" },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

/** What is asked for: `dnsperf -c 8 -q 200`. */
const full: Load = { clients: 8, outstanding: 200 };

/** One server under full load; medians of the rounds. */
interface PeerFigures {
  readonly name: string;
  readonly queriesPerSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly lost: number;
  /** Queries a second of each round. */
  readonly rounds: readonly number[];
}

/** Asks every peer in turn, round by round, so that what else the machine does falls on all of them. */
async function underFullLoad(peers: readonly NamePeer[]): Promise<readonly PeerFigures[]> {
  const found = new Map(peers.map((peer) => [peer, [] as RoundFigures[]]));
  for (const peer of peers) await load(peer, full, 1); // until its code is warm
  for (let round = 0; round < rounds; round++)
    for (const [peer, figures] of found) figures.push(roundFigures(await load(peer, full, seconds)));
  return [...found].map(([{ name }, figures]) => summary(name, figures));
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

function summary(name: string, figures: readonly RoundFigures[]): PeerFigures {
  const median = (of: (one: RoundFigures) => number) => quantile(figures.map(of), 0.5);
  return {
    name,
    queriesPerSecond: median((one) => one.queriesPerSecond),
    medianMs: median((one) => one.medianMs),
    p99Ms: median((one) => one.p99Ms),
    lost: figures.reduce((sum, { lost }) => sum + lost, 0),
    rounds: figures.map((one) => Math.round(one.queriesPerSecond)),
  };
}

function printPeers(figures: readonly PeerFigures[]): void {
  const weft = figures[0]?.queriesPerSecond ?? 0;
  console.log(`one known name, dnsperf -c 8 -q 200, medians of ${rounds} rounds of ${seconds} s in turn\n`);
  console.log(
    `${"".padEnd(28)}${"queries/s".padStart(11)}${"weft is".padStart(9)}${"median ms".padStart(11)}${"p99 ms".padStart(9)}${"lost".padStart(7)}`,
  );
  for (const { name, queriesPerSecond, medianMs, p99Ms, lost } of figures) {
    const rate = Math.round(queriesPerSecond).toLocaleString("en").padStart(11);
    const times = `${(weft / queriesPerSecond).toFixed(2)} x`.padStart(9);
    const [median, p99] = [medianMs.toFixed(2).padStart(11), p99Ms.toFixed(2).padStart(9)];
    console.log(`${name.padEnd(28)}${rate}${times}${median}${p99}${String(lost).padStart(7)}`);
  }
}

function printDeletions({ networks, quiet, deleting }: DeletionFigures): void {
  console.log("\nweft, one query at a time\n");
  console.log(
    `${"ms".padEnd(44)}${"answers".padStart(9)}${"median".padStart(9)}${"p99".padStart(9)}${"most".padStart(9)}${"lost".padStart(7)}`,
  );
  const row = (what: string, { answers, medianMs, p99Ms, maxMs, lost }: LatencyFigures) => {
    const times = [medianMs, p99Ms, maxMs].map((ms) => ms.toFixed(3).padStart(9)).join("");
    console.log(`${what.padEnd(44)}${String(answers).padStart(9)}${times}${String(lost).padStart(7)}`);
  };
  row("nothing else to do", quiet);
  row(`${networks} networks with a sandbox each are deleted`, deleting);
}

await withNetns(["weft", "docker", "podman", "echo"], async ({ weft, docker, podman, echo }) => {
  for (const host of [weft, docker, podman, echo]) host.exec("ip", "link", "set", "lo", "up");
  await withWeft(weft.path, async (ours) => {
    let peers: readonly PeerFigures[] = [];
    await withDocker(docker.path, (dockers) =>
      withAardvark(podman, (podmans) =>
        withEcho(echo, async (bare) => {
          peers = await underFullLoad([ours, dockers, podmans, bare]);
        }),
      ),
    );
    const deleting = await deletions(ours, 3, seconds);
    if (values.json) console.log(JSON.stringify({ peers, deleting }, undefined, 2));
    else {
      printPeers(peers);
      printDeletions(deleting);
    }
  });
});
