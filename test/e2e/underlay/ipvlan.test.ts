import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Network, NetworkOptions } from "../../../src/index.ts";
import { needsKernel } from "../../needs-kernel.ts";
import { addressesOf } from "../sandbox-addresses.ts";
import { lines, type TestHost, withHost } from "../test-host.ts";
import { until } from "../until.ts";
import { type Line, surprises } from "./reached.ts";
import { hasIpv6Alone, takesAdvertisedWayOut, takesNoHeldAddress } from "./scenes.ts";
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

needsKernel("ipvlan");

const onSwitch = (
  work: (host: TestHost) => Promise<void>,
  options: Pick<NonNullable<Parameters<typeof withHost>[1]>, "tolerated"> = {},
) =>
  withHost(async (host) => {
    await joinToSwitch(host);
    await work(host);
  }, options);

function create(
  { controller }: TestHost,
  name: string,
  mode: string,
  { flag = "bridge", ...more }: NetworkOptions & { readonly flag?: string } = {},
): Promise<Network> {
  const options = { parent: uplink, ipvlan_mode: mode, ipvlan_flag: flag };
  return controller.createNetwork("ipvlan", name, { ipv6: true, ipam: { subnets }, options, ...more });
}

async function placeIn(host: TestHost, network: Network, name: string, wanted = {}) {
  const sandbox = await host.controller.createSandbox(name, { endpoints: [{ network, ...wanted }] });
  return { sandbox, agent: await host.agent(sandbox), addresses: await addressesOf(sandbox) };
}

const outsideOf = async (host: TestHost) => ({
  agent: await host.agent(host.outside),
  addresses: outsideAddresses,
});

type Who = "a" | "b" | "outside";
const both = (one: Who, other: Who, reached: boolean): readonly Line<Who>[] => [
  [one, other, reached],
  [other, one, reached],
];
const wire = [...both("a", "outside", true), ...both("b", "outside", true)];

/** Two subnets of each family, which nobody but the network has. */
const routed = [
  { subnet: "198.51.100.0/24" },
  { subnet: "203.0.113.0/24" },
  { subnet: "2001:db8:a::/64" },
  { subnet: "2001:db8:b::/64" },
];
const inFirst = { ipv4Address: "198.51.100.7", ipv6Address: "2001:db8:a::7" };
const inSecond = { ipv4Address: "203.0.113.7", ipv6Address: "2001:db8:b::7" };

suite("ipvlan", () => {
  for (const [flag, siblings] of [
    ["bridge", true],
    ["private", false],
  ] as const)
    test(`mode l2 is on the wire with its parent's MAC address; flag ${flag} ${siblings ? "lets siblings talk" : "keeps siblings apart"}`, () =>
      onSwitch(async (host) => {
        const network = await create(host, "net", "l2", { flag });
        const places = {
          a: await placeIn(host, network, "a"),
          b: await placeIn(host, network, "b"),
          outside: await outsideOf(host),
        };
        assert.deepEqual(await surprises(places, [...wire, ...both("a", "b", siblings)]), []);
        const { address } = linkState(host.netns, uplink);
        const inside = await host.output(places.a.sandbox, "ip", "-br", "link", "show", "dev", "eth0");
        assert.ok(inside.includes(address), inside);
        const known = lines(host.outside.exec("ip", "neigh", "show", "dev", switchLink));
        for (const { ipv4 } of [places.a.addresses, places.b.addresses])
          assert.ok(
            known.some((line) => line.startsWith(`${ipv4} `) && line.includes(address)),
            known.join("\n"),
          );
      }));

  for (const hairpin of [false, true])
    test(`flag vepa leaves siblings to the switch, which ${hairpin ? "reflects" : "sends nothing back"}`, () =>
      onSwitch(async (host) => {
        setHairpin(host, hairpin);
        const network = await create(host, "net", "l2", { flag: "vepa" });
        const places = {
          a: await placeIn(host, network, "a"),
          b: await placeIn(host, network, "b"),
          outside: await outsideOf(host),
        };
        assert.deepEqual(await surprises(places, [...wire, ...both("a", "b", hairpin)]), []);
      }));

  for (const mode of ["l3", "l3s"])
    test(`mode ${mode} routes between the subnets of one parent, and to the outside`, () =>
      onSwitch(async (host) => {
        const network = await create(host, "net", mode, { ipam: { subnets: routed } });
        const places = {
          a: await placeIn(host, network, "a", inFirst),
          b: await placeIn(host, network, "b", inSecond),
          outside: await outsideOf(host),
        };
        for (const { subnet } of routed) {
          const via = subnet.includes(":") ? hostAddresses.ipv6 : hostAddresses.ipv4;
          host.outside.exec("ip", "route", "add", subnet, "via", via);
        }
        assert.deepEqual(await surprises(places, [...wire, ...both("a", "b", true)]), []);
        assert.equal(host.netns.exec("nft", "list", "ruleset"), "");
        // What tells the two apart: what comes in passes the host's netfilter, or does not.
        host.netns.exec(
          "nft",
          "add table inet own; add chain inet own in { type filter hook input priority 0; }",
        );
        for (const address of ["ip daddr 198.51.100.7", "ip6 daddr 2001:db8:a::7"])
          host.netns.exec("nft", `add rule inet own in ${address} drop`);
        const fromOutside: readonly Line<Who>[] = [["outside", "a", mode === "l3"]];
        assert.deepEqual(await surprises(places, fromOutside), []);
        host.netns.exec("nft", "delete table inet own");
        assert.deepEqual(await surprises(places, [["outside", "a", true]]), []);
      }));

  test("a router's advertisement is a way out where nobody named one, and no address", () =>
    onSwitch((host) => takesAdvertisedWayOut(host, (more) => create(host, "net", "l2", more))));

  test("an address that somebody on the wire has is not taken", () =>
    onSwitch((host) => takesNoHeldAddress(host, (more) => create(host, "net", "l2", more)), {
      tolerated: ["address-conflict"],
    }));

  test("a network can have IPv6 alone", () =>
    onSwitch((host) => hasIpv6Alone(host, (more) => create(host, "net", "l2", more))));

  test("mode l2 does not route between subnets", () =>
    onSwitch(async (host) => {
      const network = await create(host, "net", "l2", { ipam: { subnets: routed } });
      const places = {
        a: await placeIn(host, network, "a", inFirst),
        b: await placeIn(host, network, "b", inSecond),
      };
      assert.deepEqual(
        await surprises(places, [
          ["a", "b", false],
          ["b", "a", false],
        ]),
        [],
      );
    }));

  test("mode l3 with flag private keeps siblings apart", () =>
    onSwitch(async (host) => {
      const network = await create(host, "net", "l3", { flag: "private", ipam: { subnets: routed } });
      const places = {
        a: await placeIn(host, network, "a", inFirst),
        b: await placeIn(host, network, "b", inSecond),
      };
      assert.deepEqual(
        await surprises(places, [
          ["a", "b", false],
          ["b", "a", false],
        ]),
        [],
      );
    }));

  test("an address that moved is announced with the parent's MAC address", () =>
    onSwitch(async (host) => {
      const stale = ["lladdr", "02:00:00:00:00:99", "dev", switchLink, "nud", "stale"];
      host.outside.exec("ip", "neigh", "replace", "192.0.2.200", ...stale);
      host.outside.exec("ip", "neigh", "replace", "2001:db8::8200", ...stale);
      const network = await create(host, "net", "l2");
      const sandbox = await host.controller.createSandbox("a");
      await sandbox.connect(network, { ipv4Address: "192.0.2.200", ipv6Address: "2001:db8::8200" });
      const { address } = linkState(host.netns, uplink);
      const known = () =>
        lines(host.outside.exec("ip", "neigh", "show", "dev", switchLink)).filter(
          (line) => /^(192.0.2.200|2001:db8::8200) /.test(line) && line.includes(address),
        ).length;
      await until("both are known anew", () => known() === 2);
    }));

  test("names are known, a second network of the parent is refused, and the MAC address is nobody's to choose", () =>
    onSwitch(async (host) => {
      const network = await create(host, "net", "l2");
      const { addresses } = await placeIn(host, network, "web");
      const { agent } = await placeIn(host, network, "client");
      assert.deepEqual(await agent.name("web"), { rcode: "NOERROR", data: [addresses.ipv4] });
      assert.deepEqual(await agent.name("web", "AAAA"), { rcode: "NOERROR", data: [addresses.ipv6] });
      await assert.rejects(
        () => create(host, "second", "l2", { ipam: { subnets: routed } }),
        /network net is already using parent interface up0/,
      );
      await assert.rejects(
        () => network.createEndpoint("e", { macAddress: "02:00:00:00:00:07" }),
        /ipvlan interfaces do not support custom mac address assignment/,
      );
    }));
});
