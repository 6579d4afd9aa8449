import type { Socket } from "node:dgram";
import { hostLinkName } from "../../src/drivers/bridge/plan.ts";
import { bridgeOption } from "../../src/drivers/index.ts";
import type { Sandbox } from "../../src/index.ts";
import { setHostResolvConf, type TestHost } from "../e2e/test-host.ts";
import { joinFarToHost, joinToHost, outsideAddresses, routeTo } from "../e2e/uplink.ts";
import { runProgram } from "../peers/programs.ts";
import { type Place, placeAt } from "../place.ts";
import { bindUdp, closed } from "../ports/netns-sockets.ts";
import { answerTo } from "./name-messages.ts";

/** The port that programs listen on, and the one that they send from. */
export const [serverPort, clientPort] = [80, 40_000];
const namePort = 53;

const gatewayMode = (value: string) => ({
  [bridgeOption.gatewayModeIpv4]: value,
  [bridgeOption.gatewayModeIpv6]: value,
});

interface NetworkPlan {
  readonly subnets: readonly string[];
  readonly internal?: boolean;
  readonly options?: Readonly<Record<string, string>>;
}

/** The networks, by their bridges. */
const networks: Readonly<Record<string, NetworkPlan>> = {
  front0: { subnets: ["10.1.0.0/24", "fd00:1::/64"] },
  four0: { subnets: ["10.2.0.0/24"] },
  inner0: { subnets: ["10.3.0.0/24", "fd00:3::/64"], internal: true },
  routed0: { subnets: ["10.4.0.0/24", "fd00:4::/64"], options: gatewayMode("routed") },
  lan0: { subnets: ["10.5.0.0/24"] },
};

/** The sandboxes, with their networks. Each gets the first address that is free: web 10.1.0.2, shop 10.1.0.3. */
const sandboxes = {
  web: { bridge: "front0", ports: ["8080:80/udp", "8080:80/tcp"] },
  shop: { bridge: "front0", ports: ["192.0.2.1:8443:443/tcp"] },
  old: { bridge: "four0", ports: ["8081:80/udp"] },
  vault: { bridge: "inner0", ports: [] },
  plain: { bridge: "routed0", ports: ["80/udp"] },
  guest: { bridge: "lan0", ports: [] },
} as const;

type SandboxName = keyof typeof sandboxes;

/** Who sends and receives. */
export type PlaceName = "host" | "neighbour" | "far" | SandboxName;

/** A host with networks and neighbours, and a program at port 80 of each of them but the host. */
export interface Stage {
  readonly host: TestHost;
  readonly places: ReadonlyMap<PlaceName, Place>;
  /** The links of the host that have another name at each run, with the names that the page gives them. */
  readonly links: ReadonlyMap<string, string>;
  readonly sockets: readonly Socket[];
}

/** Builds the stage on a host without networks; {@link strike} closes what it opens. */
export async function buildStage(host: TestHost): Promise<Stage> {
  await joinToHost(host);
  await joinFarToHost(host);
  setHostResolvConf(host, `nameserver ${outsideAddresses.ipv4}\n`);
  const places = new Map<PlaceName, Place>([
    ["host", placeAt("host", host.netns.path)],
    ["neighbour", placeAt("neighbour", host.outside.path)],
    ["far", placeAt("far", host.far.path)],
  ]);
  const links = new Map<string, string>();
  await addNetworks(host);
  for (const name of Object.keys(sandboxes) as SandboxName[]) {
    // Object.keys forgets them
    const made = await addSandbox(host, name);
    places.set(name, placeAt(name, made.key));
    for (const { id } of made.endpoints()) links.set(hostLinkName(id), `veth of ${name}`);
  }
  return { host, places, links, sockets: await openServers([...places.values()]) };
}

/** Closes the programs' sockets; the rest goes with the host. */
export async function strike({ sockets }: Stage): Promise<void> {
  await Promise.all(sockets.map(closed));
}

async function addNetworks(host: TestHost): Promise<void> {
  for (const [bridge, { subnets, internal = false, options = {} }] of Object.entries(networks)) {
    await host.controller.createNetwork("bridge", bridge, {
      ipv6: subnets.length > 1,
      internal,
      ipam: { subnets: subnets.map((subnet) => ({ subnet })) },
      options: { [bridgeOption.name]: bridge, ...options },
    });
    // Neighbours who mean it well, or ill.
    for (const subnet of subnets) routeTo(host, subnet);
  }
}

async function addSandbox({ controller }: TestHost, name: SandboxName): Promise<Sandbox> {
  const { bridge, ports } = sandboxes[name];
  const network = controller.network(bridge);
  const sandbox = await controller.createSandbox(name, { endpoints: [{ network }], ports });
  // Whoever is root in a sandbox of an internal network may add a way out by himself.
  if (network.info().internal)
    for (const { gateway = "" } of network.info().pools)
      await runProgram(sandbox.key, "ip", ["route", "add", "default", "via", gateway.replace(/\/.*/, "")]);
  return sandbox;
}

async function openServers(places: readonly Place[]): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (const place of places.filter(({ name }) => name !== "host")) {
    for (const address of ["0.0.0.0", "::"]) {
      const server = await bindUdp(place, address, serverPort);
      server.on("message", (_message, { address: to, port }) => server.send("answer", port, to));
      sockets.push(server);
    }
    if (place.name !== "neighbour") continue;
    const names = await bindUdp(place, "0.0.0.0", namePort);
    names.on("message", (query, { address: to, port }) => names.send(answerTo(query), port, to));
    sockets.push(names);
  }
  return sockets;
}
