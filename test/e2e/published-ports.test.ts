import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import type { TestNetns } from "../netns-fixture.ts";
import type { Agent } from "./agent.ts";
import { addressesOf, gatewaysOf, type PlainAddresses, subnetsOf } from "./sandbox-addresses.ts";
import { type TestHost, withHost } from "./test-host.ts";
import { hostAddresses, joinToHost, outsideAddresses, routeTo } from "./uplink.ts";

const families = ["ipv4", "ipv6"] as const;
const protocols = ["tcp", "udp"] as const;

/** Published by a sandbox with both families, and by one with IPv4 alone, which IPv6 reaches by the proxy. */
const published = { dual: 8080, plain: 8044 } as const;

type Client = "outside" | "host" | "server" | "sibling" | "stranger" | "plain";
type Target = "the host's address" | "its own gateway" | "the server's gateway" | "loopback";

/** Who reaches both published ports, and by which of the host's addresses. */
const table: readonly (readonly [client: Client, target: Target])[] = [
  ["outside", "the host's address"],
  ["host", "the host's address"],
  ["host", "the server's gateway"],
  ["host", "loopback"],
  ["sibling", "the host's address"],
  ["sibling", "its own gateway"],
  ["stranger", "the host's address"],
  ["stranger", "its own gateway"],
  ["server", "the host's address"],
  ["server", "its own gateway"],
  ["plain", "the host's address"],
];

const loopback: PlainAddresses = { ipv4: "127.0.0.1", ipv6: "::1" };

interface Built {
  readonly agents: Readonly<Record<Client, Agent>>;
  readonly addresses: Readonly<Record<"server" | "plain", PlainAddresses>>;
  readonly gateways: Readonly<Partial<Record<Client, PlainAddresses>>>;
}

async function build(host: TestHost): Promise<Built> {
  await joinToHost(host);
  const { controller, netns, outside } = host;
  const web = await controller.createNetwork("bridge", "web", { ipv6: true });
  const other = await controller.createNetwork("bridge", "other", { ipv6: true });
  const four = await controller.createNetwork("bridge", "four");
  for (const network of [web, other, four]) for (const subnet of subnetsOf(network)) routeTo(host, subnet);
  const ports = (port: number) => [`${port}:7777`, `${port}:7777/udp`];
  const server = await controller.createSandbox("server", {
    ports: ports(published.dual),
    endpoints: [{ network: web }],
  });
  const plain = await controller.createSandbox("plain", {
    ports: ports(published.plain),
    endpoints: [{ network: four }],
  });
  const sibling = await controller.createSandbox("sibling", { endpoints: [{ network: web }] });
  const stranger = await controller.createSandbox("stranger", { endpoints: [{ network: other }] });
  return {
    agents: {
      outside: await host.agent(outside),
      host: await host.agent(netns),
      server: await host.agent(server),
      sibling: await host.agent(sibling),
      stranger: await host.agent(stranger),
      plain: await host.agent(plain),
    },
    addresses: { server: await addressesOf(server), plain: await addressesOf(plain) },
    gateways: { server: gatewaysOf(web), sibling: gatewaysOf(web), stranger: gatewaysOf(other) },
  };
}

function targetOf({ gateways }: Built, client: Client, target: Target): PlainAddresses {
  const own = gateways[client];
  switch (target) {
    case "the host's address":
      return hostAddresses;
    case "loopback":
      return loopback;
    case "the server's gateway":
      return gateways.server ?? assert.fail("the server has gateways");
    case "its own gateway":
      return own ?? assert.fail(`${client} has gateways`);
  }
}

function setBridgeNetfilter(netns: TestNetns, value: "0" | "1"): void {
  netns.run(() => {
    for (const name of ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"])
      writeFileSync(`/proc/sys/net/bridge/${name}`, value);
  });
}

/** Tries one line of the table; gives what was not reached, and who was seen as somebody else. */
async function surprises(built: Built, [client, target]: (typeof table)[number]): Promise<string[]> {
  const agent = built.agents[client];
  const addresses = targetOf(built, client, target);
  const found: string[] = [];
  for (const [server, port] of Object.entries(published)) {
    for (const family of families) {
      // A sandbox with IPv4 alone has no way to anything else.
      if (client === "plain" && family === "ipv6") continue;
      for (const protocol of protocols) {
        const line = `${client} to port ${port} of ${target} by ${protocol} over ${family}`;
        const seen = await agent.reach(addresses[family], protocol, port).catch((error: unknown) => error);
        if (seen instanceof Error) found.push(`${line}: ${seen.message}`);
        const translated = family === "ipv4" || server === "dual";
        if (client === "outside" && translated && seen !== outsideAddresses[family])
          found.push(`${line}: the server saw ${String(seen)}`);
      }
    }
  }
  return found;
}

suite("published ports", () => {
  for (const bridgeNetfilter of ["0", "1"] as const) {
    test(`are reached from everywhere with bridge-nf-call-iptables ${bridgeNetfilter}`, () =>
      withHost(async (host) => {
        setBridgeNetfilter(host.netns, bridgeNetfilter);
        const built = await build(host);
        const found = await Promise.all(table.map((line) => surprises(built, line)));
        assert.deepEqual(found.flat(), []);
        // The sandboxes' own addresses stay closed: to a neighbour with a route, and to other networks.
        const direct = (["outside", "stranger"] as const).flatMap((client) =>
          [built.addresses.server.ipv4, built.addresses.server.ipv6, built.addresses.plain.ipv4].flatMap(
            (address) => protocols.map((protocol) => ({ client, address, protocol })),
          ),
        );
        const reached = await Promise.all(
          direct.map(async ({ client, address, protocol }) =>
            (await built.agents[client].unreached(address, protocol)) === undefined
              ? [`${client} reached ${address} by ${protocol}`]
              : [],
          ),
        );
        assert.deepEqual(reached.flat(), []);
      }));
  }
});
