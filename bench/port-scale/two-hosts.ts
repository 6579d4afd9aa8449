import { fileURLToPath } from "node:url";
import { setSysctl } from "../../test/e2e/uplink.ts";
import { type TestNetns, withNetns } from "../../test/netns-fixture.ts";
import { type RunningProgram, runProgram, startServer } from "../../test/peers/programs.ts";
import { addVeth } from "../peers/lan.ts";
import { startWebServer, webPort } from "../peers/traffic.ts";
import { weftPeer } from "../peers/weft-peer.ts";
import { type DatagramWay, firstSink, knownSink } from "./datagram-cost.ts";

/** How many elements the maps of the two hosts have. */
export const elementCounts = [10, 10_000] as const;

/** One of them. */
export type ElementCount = (typeof elementCounts)[number];

const everyAddress = "0.0.0.0";

/** The port of the server that sends every datagram back. */
export const echoPort = 5300;

/** A host that has so many elements in its maps, and the ways that are measured there. */
export interface Host {
  readonly count: ElementCount;
  readonly netns: TestNetns;
  readonly ways: {
    /** From a neighbour through a published port. */
    readonly published: DatagramWay;
    /** From a sandbox to a neighbour: no element of the maps is about it. */
    readonly outward: DatagramWay;
  };
}

/** Runs `work` with two hosts that differ in the number of published ports alone, and one neighbour of both. */
export function withTwoHosts<T>(work: (hosts: readonly Host[]) => Promise<T>): Promise<T> {
  return withNetns(["client", "few", "many"], async ({ client, few, many }) => {
    for (const one of [client, few, many]) one.exec("ip", "link", "set", "lo", "up");
    setSysctl(client, "net/ipv4/ip_local_port_range", "1024 65535");
    const undo: (() => Promise<void>)[] = [];
    try {
      await startServers(client.path, undo);
      return await work([
        await addHost(client, few, 1, elementCounts[0], undo),
        await addHost(client, many, 2, elementCounts[1], undo),
      ]);
    } finally {
      for (const step of undo.reverse()) await step();
    }
  });
}

/** A host with servers at published ports and so many ports published in all, on a wire of its own to the client. */
async function addHost(
  client: TestNetns,
  netns: TestNetns,
  wire: number,
  count: ElementCount,
  undo: (() => Promise<void>)[],
): Promise<Host> {
  const [clientAddress, hostAddress] = [`192.0.2.${4 * wire + 2}`, `192.0.2.${4 * wire + 1}`];
  addVeth(client, `wire${wire}`, netns, "up0", `${hostAddress}/30`);
  client.exec("ip", "address", "add", `${clientAddress}/30`, "dev", `wire${wire}`);
  const peer = await weftPeer(netns.path);
  undo.push(() => peer.close());
  const network = await peer.createNetwork("traffic");
  const own = [
    `${webPort}:${webPort}`,
    ...[echoPort, firstSink, knownSink].map((port) => `${port}:${port}/udp`),
  ];
  // IPv4 alone: one socket a port.
  const others = `20000-${20_000 + count - own.length - 1}`;
  await peer.startSandbox("others", network, [`0.0.0.0:${others}:${others}`]);
  const ports = own.map((port) => `0.0.0.0:${port}`);
  const server = await (await peer.startSandbox("server", network, ports)).netns();
  await startServers(server, undo);
  const inside = await (await peer.startSandbox("inside", network)).netns();
  await runProgram(inside, "sysctl", ["-qw", "net.ipv4.ip_local_port_range=1024 65535"]);
  const host = netns.path;
  const outside = client.path;
  return {
    count,
    netns,
    ways: {
      published: {
        host,
        client: outside,
        from: clientAddress,
        address: hostAddress,
        server,
        at: everyAddress,
        seen: clientAddress,
      },
      outward: {
        host,
        client: inside,
        from: everyAddress,
        address: clientAddress,
        server: outside,
        at: clientAddress,
        seen: hostAddress,
      },
    },
  };
}

async function startServers(netns: string, undo: (() => Promise<void>)[]): Promise<void> {
  const echo = fileURLToPath(new URL("./udp-echo.js", import.meta.url));
  const started = (server: RunningProgram) => undo.push(() => server.stop());
  started(await startWebServer(netns, webPort));
  started(await startServer(netns, process.execPath, [echo, String(echoPort)], "listening"));
}
