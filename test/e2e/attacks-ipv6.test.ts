import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { addToAddress, parseAddress } from "../../src/core/index.ts";
import {
  allNodes,
  frame,
  icmp,
  type Message,
  neighbourAdvertisement,
  neighbourSolicitation,
  onLinkHopLimit,
  packet,
  redirect,
  routerAdvertisement,
  solicitedNode,
  udp,
} from "../packets/index.ts";
import { type Attack, attack, labelled, type Station } from "./attack.ts";
import { attacks, quietPort } from "./attack-scene.ts";
import { neighboursOf } from "./host-neighbours.ts";
import { bridgeNameOf, linkLocalOf, type PlainAddresses } from "./sandbox-addresses.ts";
import { until } from "./until.ts";
import { hasLinkLocal, hostAddresses, outsideAddresses, setSysctl } from "./uplink.ts";

/** To everybody on the sender's link. */
function toAll(from: Station, source: string, message: Message): Attack {
  const route = { source, target: allNodes.address, hopLimit: onLinkHopLimit };
  return { from, frame: frame({ from: from.link.mac, to: allNodes.mac }, packet(route, message)) };
}

/** To the host alone. */
function toHost(from: Station, source: string, message: Message): Attack {
  return attack(from, { source, target: from.gateways.ipv6, hopLimit: onLinkHopLimit }, message);
}

/** Everything that neighbour discovery has to say for "this address is mine". */
function claims(from: Station, address: string): readonly Attack[] {
  const { mac } = from.link;
  const [advertised, asked] = [
    neighbourAdvertisement(address, mac),
    neighbourSolicitation(from.gateways.ipv6, mac),
  ];
  const node = solicitedNode(from.gateways.ipv6);
  const route = { source: address, target: node.address, hopLimit: onLinkHopLimit };
  return [
    toAll(from, address, advertised),
    toAll(from, from.addresses.ipv6, advertised),
    toHost(from, address, advertised),
    toHost(from, from.addresses.ipv6, advertised),
    toHost(from, address, asked),
    { from, frame: frame({ from: mac, to: node.mac }, packet(route, asked)) },
  ];
}

attacks("a sandbox that speaks neighbour discovery", {
  "takes no address of another network": async (scene) => {
    const { attacker, victim, insider } = scene;
    const wanted: Readonly<Record<string, PlainAddresses>> = {
      victim: victim.addresses,
      "the victim's gateway": victim.gateways,
      insider: insider.addresses,
      host: hostAddresses,
      neighbour: outsideAddresses,
    };
    const addresses = Object.values(wanted).map(({ ipv6 }) => ipv6);
    const before = neighboursOf(scene.host.netns, addresses);
    assert.ok(
      before.some((line) => line.includes(victim.link.mac)),
      before.join(", "),
    );
    // The controls that follow reach the victim and the neighbour as ever.
    await scene.arrivals(addresses.flatMap((address) => claims(attacker, address)));
    assert.deepEqual(neighboursOf(scene.host.netns, addresses), before);
  },

  "makes itself nobody's router, and gives nobody an address or a name server": async (scene) => {
    const { attacker, insider, accomplice, host, networks, sandboxes, outside } = scene;
    const advertised = routerAdvertisement({
      lifetimeSeconds: 1800,
      prefix: "2001:db8:bad::",
      nameServer: "2001:db8:bad::53",
    });
    const learned = async () => {
      const taken = [
        host.netns.exec("ip", "-6", "route", "show", "proto", "ra"),
        host.netns.exec("ip", "-6", "route", "show", "table", "all", "2001:db8:bad::/64"),
        host.netns.exec("ip", "-6", "address", "show", "to", "2001:db8:bad::/64"),
        await host.output(sandboxes.accomplice, "ip", "-6", "route", "show", "proto", "ra"),
        await host.output(sandboxes.accomplice, "ip", "-6", "address", "show", "to", "2001:db8:bad::/64"),
      ];
      return taken.join("");
    };
    for (const from of [attacker, insider]) {
      for (const source of ["fe80::bad", from.addresses.ipv6])
        await scene.arrivals([toAll(from, source, advertised), toHost(from, source, advertised)]);
    }
    assert.equal(await learned(), "");
    const way = await host.output(sandboxes.accomplice, "ip", "-6", "route", "show", "default");
    assert.match(way, new RegExp(`^default via ${accomplice.gateways.ipv6} `));

    // The same words from a link that the host listens to.
    setSysctl(host.netns, "net/ipv6/conf/up0/accept_ra", "2");
    outside.link.send(toAll(outside, linkLocalOf(host.outside, "wire0"), advertised).frame);
    await until("the host learns from its neighbour", async () => (await learned()) !== "");
    assert.doesNotMatch(await learned(), new RegExp(bridgeNameOf(networks.red)));
  },

  "is not told what the host sends elsewhere by redirecting it": async (scene) => {
    const { attacker, victim, host, networks } = scene;
    await until("the bridge has its link-local address", () =>
      hasLinkLocal(host.netns, bridgeNameOf(networks.red)),
    );
    const ways = () =>
      [outsideAddresses, victim.addresses]
        .flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])
        .map((address) => host.netns.exec("ip", "route", "get", address).replace(/ cache.*/s, ""));
    const before = ways();
    const own = linkLocalOf(host.netns, bridgeNameOf(networks.red));
    const redirections = [outsideAddresses, victim.addresses].flatMap((destination) => {
      const better = redirect(destination.ipv6, "fe80::bad", attacker.link.mac);
      const bytes = parseAddress(attacker.addresses.ipv4).split(".").map(Number);
      const quoted = packet(
        { source: hostAddresses.ipv4, target: destination.ipv4 },
        udp(quietPort, quietPort, ""),
      );
      const forHost = icmp(4, 5, 1, Buffer.concat([Buffer.from(bytes), quoted]));
      return [
        ...["fe80::bad", own, attacker.addresses.ipv6].flatMap((source) => [
          toHost(attacker, source, better),
          toAll(attacker, source, better),
        ]),
        ...[attacker.addresses.ipv4, outsideAddresses.ipv4].map((source) =>
          attack(attacker, { source, target: hostAddresses.ipv4 }, forHost),
        ),
      ];
    });
    await scene.arrivals(redirections);
    assert.deepEqual(ways(), before);
  },

  "keeps no newcomer from its addresses by claiming all of them": async (scene) => {
    const { attacker, accomplice, host, networks } = scene;
    const last = parseAddress(accomplice.addresses.ipv6);
    const next = Array.from({ length: 8 }, (_, i) => addToAddress(last, i + 1));
    let joined = false;
    const joining = host.controller
      .createSandbox("newcomer", { endpoints: [{ network: networks.red }] })
      .finally(() => {
        joined = true;
      });
    while (!joined) {
      for (const address of next)
        attacker.link.send(
          toAll(attacker, address, neighbourAdvertisement(address, attacker.link.mac)).frame,
        );
      await nextTurn();
    }
    const newcomer = await joining;
    const shown = await host.output(
      newcomer,
      "ip",
      "-6",
      "address",
      "show",
      "dev",
      "eth0",
      "scope",
      "global",
    );
    assert.ok(
      next.some((address) => shown.includes(`${address}/`)),
      shown,
    );
    assert.doesNotMatch(shown, /dadfailed|tentative/);
    const bridge = host.netns.exec("ip", "-6", "address", "show", "dev", bridgeNameOf(networks.red));
    assert.doesNotMatch(bridge, /dadfailed/);
  },

  "is heard by its own link alone when it speaks to groups": async (scene) => {
    const groups = ["ff02::1", "ff02::fb", "ff05::1", "ff0e::1234", "224.0.0.1", "224.0.0.251", "239.1.2.3"];
    const calls = [scene.attacker, scene.insider].flatMap((from, i) =>
      groups.map((group) => {
        const family = group.includes(":") ? "ipv6" : "ipv4";
        const route = { source: from.addresses[family], target: group };
        return attack(from, route, udp(1, quietPort, labelled(`${i} to ${group}`)));
      }),
    );
    const heard = await scene.arrivalsEitherWay(() => calls);
    assert.deepEqual(
      heard.filter((line) => !line.startsWith("host") && !line.startsWith("accomplice")),
      [],
    );
  },
});
