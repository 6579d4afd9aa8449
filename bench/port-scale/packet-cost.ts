import { fileURLToPath } from "node:url";
import { findProgram, runProgram } from "../../test/peers/programs.ts";
import { quantile } from "../measure.ts";
import type { Path } from "../peers/lan.ts";
import { requestRate } from "../peers/traffic.ts";
import { DatagramSender } from "./datagram-cost.ts";
import { type ElementCount, echoPort, elementCounts, type Host, withTwoHosts } from "./two-hosts.ts";

/** A figure on the host with few elements and on the one with many. */
export interface PacketCostRow {
  readonly what: string;
  readonly unit: "a second" | "µs";
  /** Medians of all rounds. */
  readonly figures: Readonly<Record<ElementCount, number>>;
  /** How many times as much a packet costs with many elements; the median of what each round found. */
  readonly cost: number;
}

type WayName = keyof Host["ways"];

const wayNames = {
  published: "through a published port",
  outward: "from a sandbox to the outside",
} as const satisfies Readonly<Record<WayName, string>>;

const rates: readonly (readonly [what: string, measure: (path: Path) => Promise<number>])[] = [
  ["TCP requests, 32 connections", (path) => requestRate(path, true)],
  ["TCP connections, 32 at a time", (path) => requestRate(path, false)],
  ["UDP round trips, 32 at a time", roundTripRate],
];

/** How long a rate is measured, seconds. */
const seconds = 2;
/** Single datagrams take so little time that many more rounds are worth it. */
const [firstRounds, knownRounds] = [10, 100];

/** What a packet costs by way of either host, in turn. */
export async function packetCost(rounds: number): Promise<readonly PacketCostRow[]> {
  for (const name of ["ip", "wrk", "conntrack"]) findProgram(name); // before the minutes that it takes
  return withTwoHosts(async (hosts) => {
    const rows: PacketCostRow[] = [];
    for (const way of ["published", "outward"] as const) {
      rows.push(...(await datagramRows(hosts, way, rounds)));
      for (const [what, measure] of rates) {
        const found = await byTurns(hosts, rounds, async ({ netns, ways }) => {
          await runProgram(netns.path, "conntrack", ["--flush"]);
          return measure(ways[way]);
        });
        rows.push(rowOf(`${what}, ${wayNames[way]}`, "a second", found));
      }
    }
    return rows;
  });
}

async function datagramRows(
  hosts: readonly Host[],
  way: WayName,
  rounds: number,
): Promise<readonly PacketCostRow[]> {
  const senders = new Map(hosts.map(({ count, ways }) => [count, DatagramSender.open(ways[way])]));
  const of = ({ count }: Host) => {
    const sender = senders.get(count);
    if (sender === undefined) throw new Error(`no sender for ${count} elements`);
    return sender;
  };
  try {
    const known = await byTurns(hosts, rounds * knownRounds, (host) => of(host).known());
    const first = await byTurns(hosts, rounds * firstRounds, (host) => of(host).first());
    return [
      rowOf(`a datagram of a known flow, ${wayNames[way]}`, "µs", known),
      rowOf(`the first datagram of a flow, ${wayNames[way]}`, "µs", first),
    ];
  } finally {
    for (const sender of senders.values()) sender.close();
  }
}

/** The figures of one round. */
type Round = Readonly<Record<ElementCount, number>>;

/** Measures each host so many times, after one round that is not counted. Every second round goes backwards. */
async function byTurns(
  hosts: readonly Host[],
  rounds: number,
  measure: (host: Host) => number | Promise<number>,
): Promise<readonly Round[]> {
  const order = [...hosts];
  const found: Round[] = [];
  for (let round = 0; round <= rounds; round++) {
    const figures = { 10: 0, 10000: 0 };
    for (const host of order) figures[host.count] = await measure(host);
    if (round > 0) found.push(figures);
    order.reverse();
  }
  return found;
}

function rowOf(what: string, unit: PacketCostRow["unit"], found: readonly Round[]): PacketCostRow {
  const median = (of: (round: Round) => number) => quantile(found.map(of), 0.5);
  const [few, many] = elementCounts;
  return {
    what,
    unit,
    figures: { 10: median((figures) => figures[few]), 10000: median((figures) => figures[many]) },
    cost: median((figures) => (unit === "µs" ? figures[many] / figures[few] : figures[few] / figures[many])),
  };
}

async function roundTripRate({ client, address }: Path): Promise<number> {
  const program = fileURLToPath(new URL("./udp-round-trips.js", import.meta.url));
  const args = [program, address, String(echoPort), String(seconds)];
  const rate = Number(await runProgram(client, process.execPath, args));
  if (!(rate > 0)) throw new Error(`no datagram came back from ${address}`);
  return rate;
}
