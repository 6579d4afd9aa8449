import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { suite, test } from "node:test";
import { bridgeOption } from "../../src/drivers/index.ts";
import type { NetworkOptions } from "../../src/index.ts";
import { advertiseRouter } from "./router-advertisement.ts";
import { addressesOf, subnetsOf } from "./sandbox-addresses.ts";
import { type TestHost, withHost } from "./test-host.ts";
import { until } from "./until.ts";
import {
  farAddresses,
  hostAddresses,
  joinFarToHost,
  joinToHost,
  outsideAddresses,
  routeTo,
  setSysctl,
  sysctl,
} from "./uplink.ts";

const families = ["ipv4", "ipv6"] as const;
const protocols = ["tcp", "udp"] as const;
const forwarding = ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] as const;

/** A sandbox on a dual-stack network of a host with a neighbour that has a route to it. */
async function boxAndNeighbour(host: TestHost, options: NetworkOptions = {}) {
  await joinToHost(host);
  const network = await host.controller.createNetwork("bridge", "net", { ipv6: true, ...options });
  const sandbox = await host.controller.createSandbox("box", { endpoints: [{ network }] });
  for (const subnet of subnetsOf(network)) routeTo(host, subnet);
  const box = await host.agent(sandbox);
  const outside = await host.agent(host.outside);
  return { network, box, outside, addresses: await addressesOf(sandbox) };
}

suite("the way out of a network", () => {
  test("leads to the neighbour, who sees the host's address", () =>
    withHost(async (host) => {
      const { box } = await boxAndNeighbour(host);
      for (const family of families)
        for (const protocol of protocols)
          assert.equal(await box.reach(outsideAddresses[family], protocol), hostAddresses[family]);
      for (const family of families) await box.reach(outsideAddresses[family], "icmp");
    }));

  test("shows the neighbour the sandbox's own address when masquerading is off", () =>
    withHost(async (host) => {
      const options = { [bridgeOption.masquerade]: "false" };
      const { box, addresses } = await boxAndNeighbour(host, { options });
      for (const family of families)
        for (const protocol of protocols)
          assert.equal(await box.reach(outsideAddresses[family], protocol), addresses[family]);
    }));

  test("lets no neighbour in, even one who adds a route and is being talked to", () =>
    withHost(async (host) => {
      const { box, outside, addresses } = await boxAndNeighbour(host);
      await box.reach(outsideAddresses.ipv4);
      await box.reach(outsideAddresses.ipv6);
      const tries = families.flatMap((family) =>
        (["tcp", "udp", "icmp"] as const).map((protocol) => ({ family, protocol })),
      );
      const outcomes = await Promise.all(
        tries.map(({ family, protocol }) => outside.unreached(addresses[family], protocol)),
      );
      assert.deepEqual(
        outcomes.filter((outcome) => outcome === undefined),
        [],
      );
      assert.deepEqual(await box.ask("heard", {}), []);
    }));
});

/** Of a link that is a host's and no router's, on a host that forwards. */
const apart = "net/ipv6/conf/up1/forwarding";
/** What is of single links, and of those to come. */
const byLink = [
  "net/ipv4/conf/up0/forwarding",
  "net/ipv4/conf/up1/forwarding",
  "net/ipv4/conf/default/forwarding",
  "net/ipv6/conf/up0/forwarding",
  "net/ipv6/conf/up1/forwarding",
];

/** Makes the host forward what comes by one link, as systemd-networkd's IPv4Forwarding= and IPv6Forwarding= do. */
async function routeByUp0(host: TestHost): Promise<void> {
  await joinToHost(host);
  await joinFarToHost(host);
  for (const version of [4, 6]) setSysctl(host.netns, `net/ipv${version}/conf/up0/forwarding`, "1");
  // So that IPv6 forwards it too, from Linux 6.17 on.
  const forced = "net/ipv6/conf/up0/force_forwarding";
  if (host.netns.run(() => existsSync(`/proc/sys/${forced}`))) setSysctl(host.netns, forced, "1");
}

suite("forwarding", () => {
  test("that weft turned on carries no traffic from one neighbour to another", () =>
    withHost(async (host) => {
      await joinToHost(host);
      await joinFarToHost(host);
      assert.deepEqual(
        forwarding.map((key) => sysctl(host.netns, key)),
        ["0", "0"],
      );
      const network = await host.controller.createNetwork("bridge", "net", { ipv6: true });
      const sandbox = await host.controller.createSandbox("box", { endpoints: [{ network }] });
      assert.deepEqual(
        forwarding.map((key) => sysctl(host.netns, key)),
        ["1", "1"],
      );
      const [box, outside, far] = [
        await host.agent(sandbox),
        await host.agent(host.outside),
        await host.agent(host.far),
      ];
      for (const family of families) await box.reach(farAddresses[family]);
      assert.deepEqual((await far.ask("heard", {})).length, 2);
      const outcomes = await Promise.all(
        families.flatMap((family) =>
          protocols.map((protocol) => outside.unreached(farAddresses[family], protocol)),
        ),
      );
      assert.deepEqual(outcomes, ["timeout", "timeout", "timeout", "timeout"]);
      assert.deepEqual(await far.ask("heard", {}), []);
    }));

  test("that was on before weft came carries it as before", () =>
    withHost(
      async (host) => {
        const network = await host.controller.createNetwork("bridge", "net", { ipv6: true });
        const [outside] = [await host.agent(host.outside), await host.agent(host.far)];
        for (const family of families)
          for (const protocol of protocols)
            assert.equal(await outside.reach(farAddresses[family], protocol), outsideAddresses[family]);
        assert.equal(sysctl(host.netns, apart), "0");
        await network.delete();
        await host.controller.idle();
        assert.deepEqual(
          [...forwarding, apart].map((key) => sysctl(host.netns, key)),
          ["1", "1", "0"],
        );
      },
      {
        prepare: async (host) => {
          await joinToHost(host);
          await joinFarToHost(host);
          for (const key of forwarding) setSysctl(host.netns, key, "1");
          setSysctl(host.netns, apart, "0");
        },
      },
    ));

  test("is what it was before once the last network is gone", () =>
    withHost(async (host) => {
      const values = () => forwarding.map((key) => sysctl(host.netns, key));
      const first = await host.controller.createNetwork("bridge", "first", { ipv6: true });
      const second = await host.controller.createNetwork("bridge", "second");
      assert.deepEqual(values(), ["1", "1"]);
      await first.delete();
      await host.controller.idle();
      assert.deepEqual(values(), ["1", "0"]);
      await second.delete();
      await host.controller.idle();
      assert.deepEqual(values(), ["0", "0"]);
    }));

  test("by single links carries on as before, and is the same once the last network is gone", () =>
    withHost(
      async (host) => {
        const values = () => [...forwarding, ...byLink].map((key) => sysctl(host.netns, key));
        const before = values();
        const [outside, far] = [await host.agent(host.outside), await host.agent(host.far)];
        const through = async () => {
          const tries = families.flatMap((family) => [
            outside.unreached(farAddresses[family], "udp"),
            far.unreached(outsideAddresses[family], "udp"),
          ]);
          await Promise.all(tries);
          return { outside: await outside.ask("heard", {}), far: await far.ask("heard", {}) };
        };
        const passed = await through();
        assert.ok(passed.far.includes(outsideAddresses.ipv4));
        assert.deepEqual(passed.outside, []);

        const first = await host.controller.createNetwork("bridge", "first", { ipv6: true });
        assert.deepEqual(
          forwarding.map((key) => sysctl(host.netns, key)),
          ["1", "1"],
        );
        assert.deepEqual(await through(), passed);
        const second = await host.controller.createNetwork("bridge", "second", { ipv6: true });
        await first.delete();
        await host.controller.idle();
        assert.deepEqual(await through(), passed);
        assert.deepEqual(await host.controller.drift(), []);
        await second.delete();
        await host.controller.idle();
        assert.deepEqual(values(), before);
      },
      { prepare: routeByUp0 },
    ));

  test("is not turned on by an internal network", () =>
    withHost(async (host) => {
      await host.controller.createNetwork("bridge", "inner", { ipv6: true, internal: true });
      assert.deepEqual(
        forwarding.map((key) => sysctl(host.netns, key)),
        ["0", "0"],
      );
    }));

  test("leaves a host that lives by router advertisements its default route", () =>
    withHost(async (host) => {
      await joinToHost(host);
      const acceptRa = "net/ipv6/conf/up0/accept_ra";
      assert.equal(sysctl(host.netns, acceptRa), "1");
      const defaultRoute = () => host.netns.exec("ip", "-6", "route", "show", "default", "proto", "ra");
      await until("the host has learned its default route", () => {
        if (defaultRoute() === "") advertiseRouter(host.outside, "wire0");
        return defaultRoute() !== "";
      });

      const network = await host.controller.createNetwork("bridge", "net", { ipv6: true });
      assert.equal(sysctl(host.netns, acceptRa), "2");
      assert.notEqual(defaultRoute(), "", "the default route is gone");
      host.netns.exec("ip", "-6", "route", "delete", "default", "proto", "ra");
      await until("the host learns its default route anew", () => {
        advertiseRouter(host.outside, "wire0");
        return defaultRoute() !== "";
      });

      await network.delete();
      await host.controller.idle();
      assert.equal(sysctl(host.netns, acceptRa), "1");
      assert.notEqual(defaultRoute(), "", "the default route is gone");
    }));
});
