import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { WeftError } from "../../src/core/index.ts";
import { bridgeOption } from "../../src/drivers/index.ts";
import type { Agent } from "./agent.ts";
import type { Protocol } from "./agent-protocol.ts";
import { families } from "./attack.ts";
import { setBridgeNetfilter } from "./attack-scene.ts";
import {
  internetAddresses,
  type Lan,
  lanAddressesOf,
  lanNetwork,
  machineAddresses,
  routerAddresses,
  uplink,
  withLan,
} from "./lan.ts";
import { addressesOf, type PlainAddresses } from "./sandbox-addresses.ts";
import type { TestHost } from "./test-host.ts";
import { until } from "./until.ts";

const protocols: readonly Protocol[] = ["tcp", "udp", "icmp"];

type Options = Readonly<Record<string, string>>;

/** Ways in which a host's bridge gets its port to the LAN. */
const ways: Readonly<
  Record<string, (host: TestHost, make: (options: Options) => Promise<unknown>) => Promise<unknown>>
> = {
  "by an option": (_host, make) => make({ [bridgeOption.parent]: uplink }),
  "by hand": async ({ netns }, make) => {
    await make({});
    netns.exec("ip", "link", "set", uplink, "master", "brnet");
    await until("weft has seen it", () => netns.exec("nft", "list", "tables").includes("bridge weft"));
  },
  "before the network, by hand": ({ netns }, make) => {
    netns.exec("ip", "link", "add", "up3", "type", "bridge");
    netns.exec("ip", "link", "set", uplink, "master", "up3");
    return make({ [bridgeOption.name]: "up3" });
  },
};

interface Party {
  readonly name: string;
  readonly agent: Agent;
  readonly addresses: PlainAddresses;
}

/** Two sandboxes on the first host, one on each other, the machine, and who is beyond the router. */
async function settle(lan: Lan, way: keyof typeof ways, options: Options) {
  const sandboxes: Party[] = [];
  for (const [i, host] of lan.hosts.entries()) {
    const { controller } = host;
    await ways[way]?.(host, (own) =>
      controller.createNetwork("bridge", "lan", lanNetwork(i, { ...options, ...own })),
    );
    for (const name of i === 0 ? ["first0", "second0"] : [`first${i}`]) {
      const network = controller.networks().find((one) => one.name === "lan");
      assert.ok(network);
      const sandbox = await controller.createSandbox(name, { endpoints: [{ network }] });
      sandboxes.push({ name, agent: await host.agent(sandbox), addresses: await addressesOf(sandbox) });
    }
  }
  const agentIn = lan.hosts[0].agent.bind(lan.hosts[0]);
  const others: readonly Party[] = [
    { name: "machine", agent: await agentIn(lan.machine), addresses: machineAddresses },
    { name: "internet", agent: await agentIn(lan.internet), addresses: internetAddresses },
  ];
  const hosts: Party[] = [];
  for (const [i, host] of lan.hosts.entries())
    hosts.push({ name: `host${i}`, agent: await host.agent(host.netns), addresses: lanAddressesOf(i) });
  return { sandboxes, others, hosts };
}

/** Tries it by each protocol and family; gives what was otherwise: who is reached sees the sender's own address. */
async function surprises(from: Party, to: Party, reached: boolean): Promise<readonly string[]> {
  const tries = families.flatMap((family) => protocols.map((protocol) => ({ family, protocol })));
  const found = await Promise.all(
    tries.map(async ({ family, protocol }) => {
      const line = `${from.name} to ${to.name} by ${protocol} over ${family}`;
      if (!reached)
        return (await from.agent.unreached(to.addresses[family], protocol)) === undefined
          ? `${line}: reached`
          : "";
      const seen = await from.agent.reach(to.addresses[family], protocol).catch(String);
      return protocol === "icmp" || seen === from.addresses[family] ? "" : `${line}: ${seen}`;
    }),
  );
  return found.filter((line) => line !== "");
}

suite("a bridge with a port to the LAN", () => {
  for (const way of Object.keys(ways)) {
    for (const icc of ["true", "false"]) {
      test(`that it got ${way}, with enable_icc=${icc}, is a part of it`, () =>
        withLan(async (lan) => {
          const { sandboxes, others, hosts } = await settle(lan, way, { [bridgeOption.icc]: icc });
          const [first, second] = sandboxes;
          const [machine, internet] = others;
          const [host0] = hosts;
          assert.ok(first && second && machine && internet && host0);
          const siblings = (a: Party, b: Party) => [a, b].every((one) => one === first || one === second);
          for (const bridgeNetfilter of ["0", "1"] as const) {
            for (const host of lan.hosts) setBridgeNetfilter(host, bridgeNetfilter);
            const found: (readonly string[])[] = [];
            for (const from of [...sandboxes, ...others])
              for (const to of [...sandboxes, ...others])
                if (from !== to) found.push(await surprises(from, to, icc === "true" || !siblings(from, to)));
            // The host's address on the LAN is everybody's there.
            for (const from of [...sandboxes, machine])
              for (const to of hosts) found.push(await surprises(from, to, true));
            for (const to of [...sandboxes, machine, ...hosts.slice(1)])
              found.push(await surprises(host0, to, true));
            assert.deepEqual(found.flat(), [], `br_netfilter ${bridgeNetfilter}`);
          }
        }));
    }
  }

  test("its host takes no address that somebody on the LAN has", () =>
    withLan(async ({ hosts, router }) => {
      const [{ controller, netns }] = hosts;
      const before = netns.exec("ip", "-d", "address");
      const make = (over: Options, gateways: readonly (string | undefined)[]) => {
        const subnets = ["192.168.57.0/24", "fd57::/64"].map((subnet, i) => {
          const gateway = gateways[i];
          return gateway === undefined ? { subnet } : { subnet, gateway };
        });
        const options = { [bridgeOption.name]: "brnet", [bridgeOption.parent]: uplink, ...over };
        return controller.createNetwork("bridge", "lan", { ipv6: true, options, ipam: { subnets } });
      };
      const mac = /link\/ether (\S+)/.exec(router.exec("ip", "link", "show", "eth0"))?.[1];
      for (const [gateways, held] of [
        [[undefined, "fd57::11"], routerAddresses.ipv4],
        [["192.168.57.11", undefined], routerAddresses.ipv6],
        [["192.168.57.50", "fd57::11"], machineAddresses.ipv4],
      ] as const) {
        await assert.rejects(make({}, gateways), (error: WeftError) => {
          assert.equal(error.code, "ADDRESS_CONFLICT");
          assert.match(error.message, new RegExp(`^address ${held}, which this host would have as gateway`));
          assert.ok(held === machineAddresses.ipv4 || error.message.includes(`by ${mac} on ${uplink}`));
          return true;
        });
        assert.equal(netns.exec("ip", "-d", "address"), before);
        assert.ok(!controller.networks().some(({ name }) => name === "lan"));
      }
      const unasked = await make({ "weft.conflict_probe": "false" }, [undefined, undefined]);
      assert.match(netns.exec("ip", "address", "show", "brnet"), /192\.168\.57\.1\/24/);
      await unasked.delete();
      await make({}, ["192.168.57.11", "fd57::11"]);
      assert.match(netns.exec("ip", "address", "show", "brnet"), /192\.168\.57\.11\/24/);
    }));
});
