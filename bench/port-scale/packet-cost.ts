import { fileURLToPath } from "node:url";
import { setSysctl } from "../../test/e2e/uplink.ts";
import { type TestNetns, withNetns } from "../../test/netns-fixture.ts";
import { findProgram, type RunningProgram, runProgram, startServer } from "../../test/peers/programs.ts";
import { quantile } from "../measure.ts";
import { addVeth, type Path } from "../peers/lan.ts";
import { requestRate, startWebServer, webPort } from "../peers/traffic.ts";
import { weftPeer } from "../peers/weft-peer.ts";

/** How many elements the maps of the two hosts have. */
export const elementCounts = [10, 10_000] as const;

type ElementCount = (typeof elementCounts)[number];

/** A rate on the host with few elements and on the one with many. */
export interface PacketCostRow {
  readonly what: string;
  /** A second; medians of all rounds. */
  readonly rates: Readonly<Record<ElementCount, number>>;
  /** How many times the rate with many elements the rate with few is; the median of what each round found. */
  readonly cost: number;
}

const udpPort = 5300;
/** How long one measurement sends, seconds. */
const seconds = 2;

const program = (name: string) => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

/** A host that has so many elements in its maps. */
interface Host {
  readonly count: ElementCount;
  readonly netns: TestNetns;
  readonly ways: Ways;
}

/** The ways that are measured on a host. */
interface Ways {
  /** From a neighbour through a published port. */
  readonly published: Path;
  /** From a sandbox to a neighbour: no element of the maps is about it. */
  readonly outward: Path;
}

type Measure = (path: Path) => Promise<number>;

const measures: readonly (readonly [what: string, measure: Measure])[] = [
  ["TCP requests, 32 connections", (path) => requestRate(path, true)],
  ["TCP connections, 32 at a time", (path) => requestRate(path, false)],
  ["UDP round trips, 32 at a time", udpRate],
];

/**
 * Packets by way of two hosts that differ in the number of published ports alone, in turn, after one round
 * that is not counted. Every second round goes backwards.
 */
export async function packetCost(rounds: number): Promise<readonly PacketCostRow[]> {
  for (const name of ["ip", "wrk", "conntrack"]) findProgram(name); // before the minutes that it takes
  return withNetns(["client", "few", "many"], async ({ client, few, many }) => {
    for (const one of [client, few, many]) one.exec("ip", "link", "set", "lo", "up");
    setSysctl(client, "net/ipv4/ip_local_port_range", "1024 65535");
    const undo: (() => Promise<void>)[] = [];
    try {
      undo.push(...(await startServers(client.path)));
      const hosts: readonly Host[] = [
        { count: elementCounts[0], netns: few, ways: await addHost(client, few, 1, elementCounts[0], undo) },
        {
          count: elementCounts[1],
          netns: many,
          ways: await addHost(client, many, 2, elementCounts[1], undo),
        },
      ];
      const rows: PacketCostRow[] = [];
      for (const [way, where] of [
        ["published", "through a published port"],
        ["outward", "from a sandbox to the outside"],
      ] as const)
        for (const [what, measure] of measures)
          rows.push(
            rowOf(`${what}, ${where}`, await byTurns(hosts, rounds, ({ ways }) => measure(ways[way]))),
          );
      return rows;
    } finally {
      for (const step of undo.reverse()) await step();
    }
  });
}

/** The rates of one round. */
type Round = Readonly<Record<ElementCount, number>>;

async function byTurns(
  hosts: readonly Host[],
  rounds: number,
  measure: (host: Host) => Promise<number>,
): Promise<readonly Round[]> {
  const order = [...hosts];
  const found: Round[] = [];
  for (let round = 0; round <= rounds; round++) {
    const rates = { 10: 0, 10000: 0 };
    for (const host of order) {
      await runProgram(host.netns.path, "conntrack", ["--flush"]);
      rates[host.count] = await measure(host);
    }
    if (round > 0) found.push(rates);
    order.reverse();
  }
  return found;
}

function rowOf(what: string, found: readonly Round[]): PacketCostRow {
  const median = (of: (round: Round) => number) => quantile(found.map(of), 0.5);
  const [few, many] = elementCounts;
  return {
    what,
    rates: { 10: median((rates) => rates[few]), 10000: median((rates) => rates[many]) },
    cost: median((rates) => rates[few] / rates[many]),
  };
}

/** A host with servers at published ports and so many ports published in all, on a wire of its own to the client. */
async function addHost(
  client: TestNetns,
  netns: TestNetns,
  wire: number,
  count: ElementCount,
  undo: (() => Promise<void>)[],
): Promise<Ways> {
  const [clientAddress, hostAddress] = [`192.0.2.${4 * wire + 2}`, `192.0.2.${4 * wire + 1}`];
  addVeth(client, `wire${wire}`, netns, "up0", `${hostAddress}/30`);
  client.exec("ip", "address", "add", `${clientAddress}/30`, "dev", `wire${wire}`);
  const peer = await weftPeer(netns.path);
  undo.push(() => peer.close());
  const network = await peer.createNetwork("traffic");
  const own = [`${webPort}:${webPort}`, `${udpPort}:${udpPort}/udp`];
  // IPv4 alone: one socket a port.
  const others = `20000-${20_000 + count - own.length - 1}`;
  await peer.startSandbox("others", network, [`0.0.0.0:${others}:${others}`]);
  const server = await peer.startSandbox(
    "server",
    network,
    own.map((port) => `0.0.0.0:${port}`),
  );
  undo.push(...(await startServers(await server.netns())));
  const inside = await (await peer.startSandbox("inside", network)).netns();
  await runProgram(inside, "sysctl", ["-qw", "net.ipv4.ip_local_port_range=1024 65535"]);
  return {
    published: { client: client.path, address: hostAddress },
    outward: { client: inside, address: clientAddress },
  };
}

/** Starts both servers in a namespace; gives what ends them. */
async function startServers(netns: string): Promise<readonly (() => Promise<void>)[]> {
  const web = await startWebServer(netns, webPort);
  let udp: RunningProgram;
  try {
    udp = await startServer(netns, process.execPath, [program("udp-echo"), String(udpPort)], "listening");
  } catch (error) {
    await web.stop();
    throw error;
  }
  return [() => web.stop(), () => udp.stop()];
}

async function udpRate({ client, address }: Path): Promise<number> {
  const args = [program("udp-round-trips"), address, String(udpPort), String(seconds)];
  const rate = Number(await runProgram(client, process.execPath, args));
  if (!(rate > 0)) throw new Error(`no datagram came back from ${address}`);
  return rate;
}
