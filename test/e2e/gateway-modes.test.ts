import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { bridgeOption } from "../../src/drivers/index.ts";
import type { Network } from "../../src/index.ts";
import type { Agent } from "./agent.ts";
import { agentPort, type Protocol } from "./agent-protocol.ts";
import { families } from "./attack.ts";
import { setBridgeNetfilter } from "./attack-scene.ts";
import { addressesOf, type PlainAddresses, subnetsOf } from "./sandbox-addresses.ts";
import { type TestHost, withHost } from "./test-host.ts";
import {
  farAddresses,
  hostAddresses,
  hostAddressesToFar,
  joinFarToHost,
  joinToHost,
  outsideAddresses,
  routeTo,
} from "./uplink.ts";

/** Further addresses of the host, that a network's traffic is to leave by. */
const chosen: PlainAddresses = { ipv4: "192.0.2.77", ipv6: "2001:db8::77" };

const {
  gatewayModeIpv4,
  gatewayModeIpv6,
  trustedInterfaces,
  hostIpv4,
  hostIpv6,
  hostBindingIpv4,
  masquerade,
} = bridgeOption;

/** Networks by name, with their options. */
const networks = {
  nat: {},
  open4: { [gatewayModeIpv4]: "nat-unprotected" },
  open6: { [gatewayModeIpv6]: "nat-unprotected" },
  routed4: { [gatewayModeIpv4]: "routed" },
  routed6: { [gatewayModeIpv6]: "routed" },
  trusting: { [trustedInterfaces]: "up1" },
  snat: { [hostIpv4]: chosen.ipv4, [hostIpv6]: chosen.ipv6 },
  bound: { [hostBindingIpv4]: hostAddresses.ipv4 },
} as const;

type NetworkName = keyof typeof networks;

/** Sandboxes by name: their network, and the port of the host by which they publish their agent's. */
const sandboxes: Readonly<Record<string, { readonly on: NetworkName; readonly hostPort?: number }>> = {
  nat: { on: "nat", hostPort: 8001 },
  open4: { on: "open4", hostPort: 8002 },
  open6: { on: "open6", hostPort: 8003 },
  routed4: { on: "routed4", hostPort: 8004 },
  quiet4: { on: "routed4" },
  routed6: { on: "routed6", hostPort: 8006 },
  quiet6: { on: "routed6" },
  trusting: { on: "trusting", hostPort: 8008 },
  quiet: { on: "trusting" },
  snat: { on: "snat", hostPort: 8010 },
  bound: { on: "bound", hostPort: 8011 },
};

type ByFamily = Readonly<Record<(typeof families)[number], readonly Protocol[]>>;

const protocols: readonly Protocol[] = ["tcp", "udp", "icmp"];
const none: ByFamily = { ipv4: [], ipv6: [] };

/** By what a sandbox's own address is reached from anywhere but its network. Not said: by nothing. */
const direct: Readonly<Record<string, Partial<ByFamily>>> = {
  open4: { ipv4: protocols },
  open6: { ipv6: protocols },
  routed4: { ipv4: protocols },
  quiet4: { ipv4: ["icmp"] },
  routed6: { ipv6: protocols },
  quiet6: { ipv6: ["icmp"] },
};
/** The same from the interface that one network trusts. */
const directFromTrusted: typeof direct = {
  ...direct,
  trusting: { ipv4: ["tcp", "udp"], ipv6: ["tcp", "udp"] },
};

/** By which of the host's addresses a published port is reached. Not said: by all. */
const published: Readonly<Record<string, Partial<Record<string, boolean>>>> = {
  routed4: { [hostAddresses.ipv4]: false, [hostAddressesToFar.ipv4]: false },
  routed6: { [hostAddresses.ipv6]: false, [hostAddressesToFar.ipv6]: false },
  bound: { [hostAddressesToFar.ipv4]: false, [hostAddresses.ipv6]: false, [hostAddressesToFar.ipv6]: false },
};

/** As whom the neighbour sees a sandbox of each network. */
const sources: Readonly<Record<NetworkName, (own: PlainAddresses) => PlainAddresses>> = {
  nat: () => hostAddresses,
  open4: () => hostAddresses,
  open6: () => hostAddresses,
  routed4: (own) => ({ ipv4: own.ipv4, ipv6: hostAddresses.ipv6 }),
  routed6: (own) => ({ ipv4: hostAddresses.ipv4, ipv6: own.ipv6 }),
  trusting: () => hostAddresses,
  snat: () => chosen,
  bound: () => hostAddresses,
};

interface Built {
  readonly agents: ReadonlyMap<string, Agent>;
  readonly addresses: ReadonlyMap<string, PlainAddresses>;
}

async function build(host: TestHost): Promise<Built> {
  await joinToHost(host);
  await joinFarToHost(host);
  host.netns.exec("ip", "address", "add", `${chosen.ipv4}/24`, "dev", "up0");
  // Deprecated (RFC 4862 §5.5.4), or the host would take it for others too.
  const deprecated = ["preferred_lft", "0"];
  host.netns.exec("ip", "address", "add", `${chosen.ipv6}/64`, "dev", "up0", "nodad", ...deprecated);
  const made = new Map<string, Network>();
  for (const [name, options] of Object.entries(networks)) {
    const network = await host.controller.createNetwork("bridge", name, { ipv6: true, options });
    made.set(name, network);
    for (const subnet of subnetsOf(network)) {
      routeTo(host, subnet);
      const via = subnet.includes(":") ? hostAddressesToFar.ipv6 : hostAddressesToFar.ipv4;
      host.far.exec("ip", "route", "add", subnet, "via", via);
    }
  }
  const addresses = new Map<string, PlainAddresses>();
  const agents = new Map<string, Agent>();
  for (const [name, { on, hostPort }] of Object.entries(sandboxes)) {
    const network = made.get(on);
    assert.ok(network);
    const ports = hostPort === undefined ? [] : [`${hostPort}:${agentPort}`, `${hostPort}:${agentPort}/udp`];
    const sandbox = await host.controller.createSandbox(name, { ports, endpoints: [{ network }] });
    addresses.set(name, await addressesOf(sandbox));
    agents.set(name, await host.agent(sandbox));
  }
  agents.set("outside", await host.agent(host.outside));
  agents.set("far", await host.agent(host.far));
  return { agents, addresses };
}

/** One attempt, and whether it should succeed. */
interface Try {
  readonly from: string;
  readonly what: string;
  readonly address: string;
  readonly port?: number;
  readonly protocol: Protocol;
  readonly reached: boolean;
}

/** To every sandbox's own address, by every protocol. */
function directly({ addresses }: Built, from: string, table: typeof direct): readonly Try[] {
  return [...addresses].flatMap(([what, own]) =>
    families.flatMap((family) =>
      protocols.map((protocol) => {
        const reached = { ...none, ...table[what] }[family].includes(protocol);
        return { from, what, address: own[family], protocol, reached };
      }),
    ),
  );
}

/** To every published port, by two of the host's addresses of each family. */
function byTheHost(from: string): readonly Try[] {
  const addresses = [hostAddresses, hostAddressesToFar].flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]);
  return Object.entries(sandboxes).flatMap(([what, { hostPort: port }]) =>
    port === undefined
      ? []
      : addresses.flatMap((address) =>
          (["tcp", "udp"] as const).map((protocol) => {
            const reached = published[what]?.[address] ?? true;
            return { from, what, address, port, protocol, reached };
          }),
        ),
  );
}

async function surprise({ agents }: Built, one: Try): Promise<readonly string[]> {
  const { from, what, address, port = agentPort, protocol, reached } = one;
  const agent = agents.get(from) ?? assert.fail(`there is no ${from}`);
  const line = `${from} to ${what} at ${address} port ${port} by ${protocol}`;
  if (!reached)
    return (await agent.unreached(address, protocol, port)) === undefined ? [`${line}: reached`] : [];
  const error = await agent.reach(address, protocol, port).then(
    () => undefined,
    (failure: unknown) => failure,
  );
  return error === undefined ? [] : [`${line}: ${String(error)}`];
}

suite("gateway modes", () => {
  test("open and close, and rewrite addresses, as they say", () =>
    withHost(async (host) => {
      const built = await build(host);
      const tries = [
        ...directly(built, "outside", direct),
        ...directly(built, "far", directFromTrusted),
        ...byTheHost("outside"),
        ...byTheHost("far"),
        // Another network's sandbox is no different from a neighbour.
        ...directly(built, "snat", direct).filter(({ what }) => what !== "snat"),
      ];
      const found = await Promise.all(tries.map((one) => surprise(built, one)));
      assert.deepEqual(found.flat(), []);
      for (const [name, { on }] of Object.entries(sandboxes)) {
        const [agent, own] = [built.agents.get(name), built.addresses.get(name)];
        assert.ok(agent !== undefined && own !== undefined);
        for (const family of families)
          assert.equal(await agent.reach(outsideAddresses[family]), sources[on](own)[family], name);
      }
    }));

  test("leave the sandboxes of an isolated network to themselves", () =>
    withHost(async (host) => {
      await joinToHost(host);
      const network = await host.controller.createNetwork("bridge", "isolated", {
        ipv6: true,
        internal: true,
        options: { [gatewayModeIpv4]: "isolated", [gatewayModeIpv6]: "isolated" },
      });
      const one = await host.controller.createSandbox("one", { endpoints: [{ network }] });
      const other = await host.controller.createSandbox("other", { endpoints: [{ network }] });
      const agents = [await host.agent(one), await host.agent(other)] as const;
      const hostAgent = await host.agent(host.netns);
      const addresses = [await addressesOf(one), await addressesOf(other)] as const;
      for (const bridgeNetfilter of ["0", "1"] as const) {
        setBridgeNetfilter(host, bridgeNetfilter);
        for (const family of families) {
          for (const protocol of protocols) {
            await agents[0].reach(addresses[1][family], protocol);
            await agents[1].reach(addresses[0][family], protocol);
          }
          assert.notEqual(await agents[0].unreached(hostAddresses[family]), undefined);
          assert.notEqual(await agents[0].unreached(outsideAddresses[family]), undefined);
          assert.notEqual(await hostAgent.unreached(addresses[0][family]), undefined);
        }
      }
    }));
});

/** Ways out of a client's network, whose sandboxes ask for a port that another network publishes. */
const waysOut: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  nat: {},
  unprotected: { [gatewayModeIpv4]: "nat-unprotected", [gatewayModeIpv6]: "nat-unprotected" },
  routed: { [gatewayModeIpv4]: "routed", [gatewayModeIpv6]: "routed" },
  snat: { [hostIpv4]: chosen.ipv4, [hostIpv6]: chosen.ipv6 },
  bare: { [masquerade]: "false" },
};

suite("a port that is published by a sandbox of several networks", () => {
  test("is reached from each of them, whatever its way out", () =>
    withHost(async (host) => {
      await joinToHost(host);
      const create = (name: string, options: Readonly<Record<string, string>>) =>
        host.controller.createNetwork("bridge", name, { ipv6: true, options });
      const networks = new Map<string, Network>();
      for (const [name, options] of Object.entries(waysOut)) networks.set(name, await create(name, options));
      const server = await host.controller.createSandbox("server", {
        ports: [`8001:${agentPort}`, `8001:${agentPort}/udp`],
        endpoints: [
          { network: await create("web", {}), priority: 1 },
          ...[...networks.values()].map((network) => ({ network })),
        ],
      });
      await host.agent(server);
      const agents = new Map<string, Agent>();
      for (const [name, network] of networks) {
        const client = await host.controller.createSandbox(`${name}-client`, { endpoints: [{ network }] });
        agents.set(name, await host.agent(client));
      }
      const tries = [...agents.keys()].flatMap((from) =>
        families.flatMap((family) =>
          (["tcp", "udp"] as const).map(
            (protocol): Try => ({
              ...{ from, what: "server", address: hostAddresses[family], port: 8001 },
              ...{ protocol, reached: true },
            }),
          ),
        ),
      );
      for (const bridgeNetfilter of ["0", "1"] as const) {
        setBridgeNetfilter(host, bridgeNetfilter);
        const found = await Promise.all(tries.map((one) => surprise({ agents, addresses: new Map() }, one)));
        assert.deepEqual(found.flat(), [], `br_netfilter ${bridgeNetfilter}`);
      }
    }));
});

suite("a port that is published on an address of the host", () => {
  test("is closed at its others", () =>
    withHost(async (host) => {
      await joinToHost(host);
      await joinFarToHost(host);
      const network = await host.controller.createNetwork("bridge", "net", { ipv6: true });
      const ports = (["tcp", "udp"] as const).flatMap((protocol) => [
        `${hostAddresses.ipv4}:8001:${agentPort}/${protocol}`,
        `[${hostAddresses.ipv6}]:8001:${agentPort}/${protocol}`,
        `127.0.0.1:8002:${agentPort}/${protocol}`,
        `[::1]:8002:${agentPort}/${protocol}`,
      ]);
      await host.agent(await host.controller.createSandbox("box", { ports, endpoints: [{ network }] }));
      const agents = {
        outside: await host.agent(host.outside),
        far: await host.agent(host.far),
        host: await host.agent(host.netns),
      };
      const loopback: PlainAddresses = { ipv4: "127.0.0.1", ipv6: "::1" };
      const table: readonly (readonly [keyof typeof agents, PlainAddresses, number, boolean])[] = [
        ["outside", hostAddresses, 8001, true],
        ["outside", hostAddressesToFar, 8001, false],
        ["far", hostAddresses, 8001, true],
        ["far", hostAddressesToFar, 8001, false],
        ["host", hostAddresses, 8001, true],
        ["host", loopback, 8001, false],
        ["host", loopback, 8002, true],
        ["host", hostAddresses, 8002, false],
        ["outside", hostAddresses, 8002, false],
        ["far", hostAddressesToFar, 8002, false],
      ];
      const tries = table.flatMap(([from, addresses, port, reached]) =>
        families.flatMap((family) =>
          (["tcp", "udp"] as const).map(
            (protocol): Try => ({ from, what: "box", address: addresses[family], port, protocol, reached }),
          ),
        ),
      );
      const built = { agents: new Map(Object.entries(agents)), addresses: new Map() };
      const found = await Promise.all(tries.map((one) => surprise(built, one)));
      assert.deepEqual(found.flat(), []);
      assert.deepEqual((await agents.far.ask("heard", {})).length, 0);
      assert.notEqual(await agents.outside.unreached(farAddresses.ipv4), undefined);
    }));
});
