import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Network, Sandbox } from "../../../src/index.ts";
import { needsKernel } from "../../needs-kernel.ts";
import { advertiseRouter } from "../router-advertisement.ts";
import { addressesOf } from "../sandbox-addresses.ts";
import { lines, type TestHost, withHost } from "../test-host.ts";
import { until } from "../until.ts";
import { type Line, surprises } from "./reached.ts";
import { hasIpv6Alone, routesIn, takesAdvertisedWayOut, takesNoHeldAddress } from "./scenes.ts";
import {
  hostAddresses,
  joinToSwitch,
  linkState,
  outsideAddresses,
  setHairpin,
  subnets,
  switchLink,
  uplink,
} from "./wire.ts";

needsKernel("macvlan");

const onSwitch = (
  work: (host: TestHost) => Promise<void>,
  options: Pick<NonNullable<Parameters<typeof withHost>[1]>, "selfRepair" | "tolerated"> = {},
) =>
  withHost(async (host) => {
    await joinToSwitch(host);
    const before = linkState(host.netns, uplink);
    await work(host);
    await host.controller.purge();
    const { address, promiscuity } = linkState(host.netns, uplink);
    assert.deepEqual([address, promiscuity], [before.address, 0], "the parent is as it was");
  }, options);

function create({ controller }: TestHost, name: string, mode: string, more = {}): Promise<Network> {
  const options = { parent: uplink, macvlan_mode: mode };
  return controller.createNetwork("macvlan", name, { ipv6: true, ipam: { subnets }, options, ...more });
}

async function placeIn(host: TestHost, network: Network, name: string) {
  const sandbox = await host.controller.createSandbox(name, { endpoints: [{ network }] });
  return { sandbox, agent: await host.agent(sandbox), addresses: await addressesOf(sandbox) };
}

const outsideOf = async (host: TestHost) => ({
  agent: await host.agent(host.outside),
  addresses: outsideAddresses,
});

/** Subnets that the wire has not got. */
const elsewhere = { subnets: [{ subnet: "198.51.100.0/24" }, { subnet: "2001:db8:9::/64" }] };

/** Two sandboxes of one network, the machine outside, and the host. */
type Who = "a" | "b" | "outside" | "host";
const both = (one: Who, other: Who, reached: boolean): readonly Line<Who>[] => [
  [one, other, reached],
  [other, one, reached],
];
const wire = [...both("a", "outside", true), ...both("b", "outside", true)];

const modes: readonly (readonly [mode: string, hairpin: boolean, siblings: boolean])[] = [
  ["bridge", false, true],
  ["private", false, false],
  ["private", true, false],
  ["vepa", false, false],
  ["vepa", true, true],
];

suite("macvlan", () => {
  for (const [mode, hairpin, siblings] of modes)
    test(`mode ${mode} ${siblings ? "lets siblings talk" : "keeps siblings apart"} at a switch ${hairpin ? "that" : "that never"} sends frames back`, () =>
      onSwitch(async (host) => {
        setHairpin(host, hairpin);
        const network = await create(host, "net", mode);
        const places = {
          a: await placeIn(host, network, "a"),
          b: await placeIn(host, network, "b"),
          outside: await outsideOf(host),
          host: { agent: await host.agent(host.netns), addresses: hostAddresses },
        };
        assert.deepEqual(await surprises(places, [...wire, ...both("a", "b", siblings)]), []);
        // Not even at a switch that reflects is the host's own link among those on it.
        if (!hairpin) assert.deepEqual(await surprises(places, both("a", "host", false)), []);
      }));

  test("mode passthru has the wire for itself, with the parent's MAC address, and gives it back", () =>
    onSwitch(async (host) => {
      await assert.rejects(() => create(host, "net", "passthru"), { code: "PARENT_HAS_ADDRESSES" });
      host.netns.exec("ip", "address", "flush", "dev", uplink, "scope", "global");
      const network = await create(host, "net", "passthru");
      const before = linkState(host.netns, uplink);
      assert.equal(before.promiscuity, 0);
      const places = { a: await placeIn(host, network, "a"), outside: await outsideOf(host) };
      assert.deepEqual(
        await surprises(places, [
          ["a", "outside", true],
          ["outside", "a", true],
        ]),
        [],
      );
      const inside = await host.output(places.a.sandbox, "ip", "-br", "link", "show", "dev", "eth0");
      assert.ok(inside.includes(before.address), inside);
      assert.equal(linkState(host.netns, uplink).promiscuity, 1);
      for (const mode of ["bridge", "passthru"])
        await assert.rejects(
          () => create(host, "second", mode, { ipam: elsewhere }),
          /network net is already using parent interface up0/,
        );
      await places.a.sandbox.delete();
      await host.controller.idle();
      assert.deepEqual(linkState(host.netns, uplink), before);
    }));

  test("two networks of one parent are told apart by their subnets alone", () =>
    onSwitch(async (host) => {
      const one = await create(host, "one", "bridge");
      const other = await create(host, "other", "bridge", { ipam: elsewhere });
      const places = { a: await placeIn(host, one, "a"), b: await placeIn(host, other, "b") };
      assert.deepEqual(
        await surprises(places, [
          ["a", "b", false],
          ["b", "a", false],
        ]),
        [],
      );
      await places.a.sandbox.connect(other);
      const [, second] = places.a.sandbox.endpoints();
      const { ipv4Address = "" } = (await second?.info()) ?? {};
      assert.equal(await places.b.agent.reach(ipv4Address.replace(/\/.*/, "")), places.b.addresses.ipv4);
    }));

  test("names are known, ports are not published, and nothing of the host's firewall is touched", () =>
    onSwitch(async (host) => {
      const network = await create(host, "net", "bridge");
      const { agent, addresses } = await placeIn(host, network, "web");
      const client = await host.controller.createSandbox("client", {
        endpoints: [{ network }],
        ports: ["8080:7777"],
      });
      const asking = await host.agent(client);
      assert.deepEqual(await asking.name("web"), { rcode: "NOERROR", data: [addresses.ipv4] });
      assert.deepEqual(await asking.name("web", "AAAA"), { rcode: "NOERROR", data: [addresses.ipv6] });
      assert.deepEqual(client.info().bindings, []);
      assert.match(
        String(await (await outsideOf(host)).agent.unreached(hostAddresses.ipv4, "tcp", 8080)),
        /REFUSED/,
      );
      assert.equal(host.netns.exec("nft", "list", "ruleset"), "");
      await agent.end();
    }));

  test("an internal network is on the wire and has no way beyond it", () =>
    onSwitch(async (host) => {
      const ipam = {
        subnets: [
          { subnet: "192.0.2.0/24", ipRange: "192.0.2.128/25", gateway: outsideAddresses.ipv4 },
          { subnet: "2001:db8::/64", ipRange: "2001:db8::8000/113" },
        ],
      };
      const network = await create(host, "net", "bridge", { internal: true, ipam });
      const places = { a: await placeIn(host, network, "a"), outside: await outsideOf(host) };
      assert.deepEqual(await surprises(places, [["a", "outside", true]]), []);
      advertiseRouter(host.outside, switchLink);
      const routes = await routesIn(host, places.a.sandbox);
      assert.deepEqual(
        routes.filter((route) => route.startsWith("default")),
        [],
      );
    }));

  test("whoever knew an address by another MAC address learns the new one at once", () =>
    onSwitch(async (host) => {
      const stale = ["lladdr", "02:00:00:00:00:99", "dev", switchLink, "nud", "stale"];
      host.outside.exec("ip", "neigh", "replace", "192.0.2.200", ...stale);
      host.outside.exec("ip", "neigh", "replace", "2001:db8::8200", ...stale);
      const network = await create(host, "net", "bridge");
      const sandbox = await host.controller.createSandbox("a");
      await sandbox.connect(network, {
        ipv4Address: "192.0.2.200",
        ipv6Address: "2001:db8::8200",
        macAddress: "02:00:00:00:00:11",
      });
      const known = () =>
        lines(host.outside.exec("ip", "neigh", "show", "dev", switchLink)).filter((line) =>
          line.includes("02:00:00:00:00:11"),
        ).length;
      await until("both are known anew", () => known() === 2);
    }));

  for (const mode of ["bridge", "passthru"])
    test(`a router's advertisement is a way out where nobody named one, and no address; mode ${mode}`, () =>
      onSwitch(async (host) => {
        if (mode === "passthru") host.netns.exec("ip", "address", "flush", "dev", uplink, "scope", "global");
        await takesAdvertisedWayOut(host, (more) => create(host, "net", mode, more));
      }));

  test("an address that somebody on the wire has is not taken", () =>
    onSwitch((host) => takesNoHeldAddress(host, (more) => create(host, "net", "bridge", more)), {
      tolerated: ["address-conflict"],
    }));

  test("a network can have IPv6 alone", () =>
    onSwitch((host) => hasIpv6Alone(host, (more) => create(host, "net", "bridge", more))));

  test("a router's advertisement is the way out before a gateway of lower priority, and after others", () =>
    onSwitch(async (host) => {
      const network = await create(host, "net", "bridge");
      const ipam = { subnets: [{}, { subnet: "2001:db8:b::/64" }] };
      const gateway = await host.controller.createNetwork("bridge", "own", { ipv6: true, ipam });
      const waysOut = async (sandbox: Sandbox) =>
        (await routesIn(host, sandbox))
          .filter((route) => route.startsWith("default"))
          .map((route) => /proto (\S+)/.exec(route)?.[1]);
      const sandboxes: Sandbox[] = [];
      for (const [name, priority] of [
        ["listens", 100],
        ["does-not", 0],
      ] as const) {
        const sandbox = await host.controller.createSandbox(name);
        await sandbox.connect(gateway);
        await sandbox.connect(network, { priority });
        sandboxes.push(sandbox);
      }
      const [listens, doesNot] = sandboxes;
      assert.ok(listens && doesNot);
      assert.deepEqual(await waysOut(listens), []);
      await until("both have heard", async () => {
        advertiseRouter(host.outside, switchLink);
        return (await waysOut(listens)).length === 1 && (await waysOut(doesNot)).length === 2;
      });
      assert.deepEqual(await waysOut(listens), ["ra"]);
      assert.deepEqual(await waysOut(doesNot), ["119", "ra"]);
      assert.deepEqual(await host.controller.drift(), []);
      const [, onWire] = listens.endpoints();
      await onWire?.leave();
      assert.deepEqual(await waysOut(listens), ["119"]);
    }));

  test("a named gateway is the way out, whatever routers say", () =>
    onSwitch(async (host) => {
      const [four] = subnets;
      const ipam = {
        subnets: [
          four ?? {},
          { subnet: "2001:db8::/64", ipRange: "2001:db8::8000/113", gateway: "2001:db8::2" },
        ],
      };
      const network = await create(host, "net", "bridge", { ipam });
      const { sandbox } = await placeIn(host, network, "a");
      advertiseRouter(host.outside, switchLink);
      const routes = (await routesIn(host, sandbox)).filter((route) => route.startsWith("default"));
      assert.equal(routes.length, 1);
      assert.match(routes[0] ?? "", /^default via 2001:db8::2 dev eth0 proto 119/);
    }));

  test("what the kernel refuses of a sandbox is told in words, and nothing is left", () =>
    onSwitch(async (host) => {
      const { netns, controller } = host;
      const network = await create(host, "net", "bridge");
      const macAddress = "02:00:00:00:00:07";
      await controller.createSandbox("first", { endpoints: [{ network, macAddress }] });
      const before = netns.exec("ip", "-d", "link");
      const refused = async (code: string, message: RegExp, endpoint = {}) => {
        const joining = controller.createSandbox("second", { endpoints: [{ network, ...endpoint }] });
        await assert.rejects(joining, { code, message });
        assert.deepEqual(
          network.endpoints().map((one) => one.record().macAddress),
          [macAddress],
        );
        assert.equal(controller.sandboxes().length, 1);
      };
      await refused(
        "ADDRESS_IN_USE",
        /^MAC address 02:00:00:00:00:07 is another interface's on up0 already$/,
        {
          macAddress,
        },
      );
      assert.equal(netns.exec("ip", "-d", "link"), before);
      await controller.sandboxes()[0]?.delete();
      await controller.idle();
      netns.exec("ip", "link", "add", "theirs", "link", uplink, "type", "macvlan", "mode", "passthru");
      await assert.rejects(controller.createSandbox("second", { endpoints: [{ network }] }), {
        code: "PARENT_IN_USE",
      });
      netns.exec("ip", "link", "delete", "theirs");
      netns.exec("ip", "link", "add", "br9", "type", "bridge");
      netns.exec("ip", "link", "set", uplink, "master", "br9");
      await assert.rejects(controller.createSandbox("second", { endpoints: [{ network }] }), {
        code: "PARENT_IN_USE",
        message: /br9/,
      });
      netns.exec("ip", "link", "delete", "br9");
      assert.deepEqual([controller.sandboxes().length, network.endpoints().length], [0, 0]);
      await controller.createSandbox("second", { endpoints: [{ network }] });
    }));

  test("a parent's MTU is followed by itself, and a parent that comes back gets its sandboxes again", () =>
    onSwitch(
      async (host) => {
        const network = await create(host, "net", "bridge");
        const { sandbox, addresses, agent } = await placeIn(host, network, "a");
        const mtu = async () =>
          /mtu (\d+)/.exec(await host.output(sandbox, "ip", "link", "show", "dev", "eth0"))?.[1];
        for (const wanted of ["9000", "1400"]) {
          host.netns.exec("ip", "link", "set", uplink, "mtu", wanted);
          await until(`the sandbox has an MTU of ${wanted}`, async () => (await mtu()) === wanted);
        }
        host.netns.exec("ip", "link", "delete", uplink);
        host.outside.exec("ip", "link", "delete", switchLink);
        await until("it is told", async () => (await host.controller.drift())[0]?.drift === "interface gone");
        await joinToSwitch(host);
        await until("all is as it should be", async () => (await host.controller.drift()).length === 0);
        const outside = await host.agent(host.outside);
        await until(
          "the sandbox is reached",
          async () => (await outside.unreached(addresses.ipv4)) === undefined,
        );
        await agent.end();
      },
      { selfRepair: true, tolerated: ["repaired"] },
    ));
});
