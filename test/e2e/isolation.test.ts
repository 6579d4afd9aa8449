import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { bridgeOption } from "../../src/drivers/index.ts";
import type { Network, Sandbox } from "../../src/index.ts";
import type { TestNetns } from "../netns-fixture.ts";
import type { Agent } from "./agent.ts";
import type { Protocol } from "./agent-protocol.ts";
import { addressesOf, gatewaysOf, type PlainAddresses, subnetsOf } from "./sandbox-addresses.ts";
import { type TestHost, withHost } from "./test-host.ts";
import { hostAddresses, joinToHost, outsideAddresses, routeTo } from "./uplink.ts";

/** Two networks that allow everything, one without inter-container traffic, and one that is internal. */
const networks = {
  open: {},
  other: {},
  closed: { options: { [bridgeOption.icc]: "false" } },
  inner: { internal: true },
} as const;

/** Sandboxes by name, with their networks. */
const sandboxes = {
  open1: "open",
  open2: "open",
  other1: "other",
  closed1: "closed",
  closed2: "closed",
  inner1: "inner",
  inner2: "inner",
} as const;

type Place = keyof typeof sandboxes | "host" | "outside";

/** Who may reach whom, whatever the protocol, the family and br_netfilter. Sandboxes ask the host at its bridge. */
const table: readonly (readonly [from: Place, to: Place, reached: boolean])[] = [
  ["open1", "open2", true],
  ["open2", "open1", true],
  ["closed1", "closed2", false],
  ["closed2", "closed1", false],
  ["inner1", "inner2", true],
  ["inner2", "inner1", true],

  ["open1", "other1", false],
  ["other1", "open1", false],
  ["open1", "closed1", false],
  ["closed1", "open1", false],
  ["open1", "inner1", false],
  ["inner1", "open1", false],

  ["open1", "outside", true],
  ["closed1", "outside", true],
  ["inner1", "outside", false],
  ["inner1", "host", true],
  ["outside", "open1", false],
  ["outside", "closed1", false],
  ["outside", "inner1", false],

  ["host", "open1", true],
  ["host", "closed1", true],
  ["host", "inner1", true],
  ["open1", "host", true],
  ["host", "outside", true],
  ["outside", "host", true],
];

const protocols: readonly Protocol[] = ["tcp", "udp", "icmp"];
const families = ["ipv4", "ipv6"] as const;

interface Built {
  readonly agents: ReadonlyMap<Place, Agent>;
  readonly addresses: ReadonlyMap<Place, PlainAddresses>;
  /** Where a sandbox finds the host: over UDP a host answers from the address nearest to the client. */
  readonly gateways: ReadonlyMap<Place, PlainAddresses>;
}

async function build(host: TestHost): Promise<Built> {
  const { controller, netns, outside } = host;
  await joinToHost(host);
  const made = new Map<string, Network>();
  for (const [name, options] of Object.entries(networks))
    made.set(name, await controller.createNetwork("bridge", name, { ipv6: true, ...options }));
  const places = new Map<Place, Sandbox | TestNetns>([
    ["host", netns],
    ["outside", outside],
  ]);
  const addresses = new Map<Place, PlainAddresses>([
    ["host", hostAddresses],
    ["outside", outsideAddresses],
  ]);
  const gateways = new Map<Place, PlainAddresses>();
  for (const name of Object.keys(sandboxes) as (keyof typeof sandboxes)[]) {
    // Object.keys forgets them
    const network = made.get(sandboxes[name]);
    assert.ok(network);
    const sandbox = await controller.createSandbox(name, { endpoints: [{ network }] });
    places.set(name, sandbox);
    addresses.set(name, await addressesOf(sandbox));
    gateways.set(name, gatewaysOf(network));
    if (network.info().internal) await addOwnRoutes(host, sandbox, network);
  }
  for (const network of made.values()) for (const subnet of subnetsOf(network)) routeTo(host, subnet);
  const agents = new Map<Place, Agent>();
  for (const [name, where] of places) agents.set(name, await host.agent(where));
  return { agents, addresses, gateways };
}

/** Root in an internal network may add a way out by itself; it must lead nowhere. */
async function addOwnRoutes(host: TestHost, sandbox: Sandbox, network: Network): Promise<void> {
  const { ipv4, ipv6 } = gatewaysOf(network);
  await host.output(sandbox, "ip", "route", "add", "default", "via", ipv4);
  await host.output(sandbox, "ip", "-6", "route", "add", "default", "via", ipv6);
}

function setBridgeNetfilter(netns: TestNetns, value: "0" | "1"): void {
  netns.run(() => {
    for (const name of ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"])
      writeFileSync(`/proc/sys/net/bridge/${name}`, value);
  });
}

/** Tries one line of the table by each protocol and family; gives what was otherwise than it says. */
async function surprises(
  { agents, addresses, gateways }: Built,
  [from, to, reached]: (typeof table)[number],
): Promise<string[]> {
  const agent = agents.get(from);
  const target = (to === "host" ? gateways.get(from) : undefined) ?? addresses.get(to);
  assert.ok(agent !== undefined && target !== undefined);
  const tries = families.flatMap((family) => protocols.map((protocol) => ({ family, protocol })));
  const outcomes = await Promise.all(
    tries.map(async ({ family, protocol }) => {
      const line = `${from} to ${to} by ${protocol} over ${family}`;
      if (!reached)
        return (await agent.unreached(target[family], protocol)) === undefined ? `${line}: reached` : "";
      return agent.reach(target[family], protocol).then(
        () => "",
        (error: unknown) => `${line}: ${String(error)}`,
      );
    }),
  );
  return outcomes.filter((outcome) => outcome !== "");
}

/** One-way traffic counts too: nothing may have come in from those who cannot get an answer. */
async function strangersHeard({ agents, addresses }: Built): Promise<string[]> {
  const found: string[] = [];
  for (const [to, agent] of agents) {
    const heard = await agent.ask("heard", {});
    for (const [from, reaching, reached] of table) {
      const source = addresses.get(from);
      if (reaching !== to || reached || source === undefined) continue;
      if (heard.includes(source.ipv4) || heard.includes(source.ipv6)) found.push(`${to} heard ${from}`);
    }
  }
  return found;
}

suite("who reaches whom", () => {
  for (const bridgeNetfilter of ["0", "1"] as const) {
    test(`is as the networks say with bridge-nf-call-iptables ${bridgeNetfilter}`, () =>
      withHost(async (host) => {
        setBridgeNetfilter(host.netns, bridgeNetfilter);
        const built = await build(host);
        const found = await Promise.all(table.map((line) => surprises(built, line)));
        assert.deepEqual(found.flat(), []);
        assert.deepEqual(await strangersHeard(built), []);
      }));
  }
});
