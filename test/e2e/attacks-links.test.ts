import assert from "node:assert/strict";
import { answeredByArp, arp, broadcastMac, frame, linkOf, packet, RawLink, udp } from "../packets/index.ts";
import { type Attack, attack, attempts, families, labelled, type Target } from "./attack.ts";
import { type AttackScene, attacks, quietPort, targetPort } from "./attack-scene.ts";
import { neighboursOf } from "./host-neighbours.ts";
import { bridgeNameOf } from "./sandbox-addresses.ts";
import { until } from "./until.ts";
import { hostAddresses, outsideAddresses } from "./uplink.ts";

/** Where nothing from the attacker's link may arrive. */
function forbidden({ victim, insider }: AttackScene): Readonly<Record<string, Target>> {
  return {
    "the victim": [victim.addresses, targetPort],
    "the insider": [insider.addresses, targetPort],
    "the victim's gateway": [victim.gateways, quietPort],
    loopback: [{ ipv4: "127.0.0.1", ipv6: "::1" }, quietPort],
  };
}

attacks("a sandbox that has its link to itself", {
  "is answered by ARP for no address that is elsewhere": async (scene) => {
    const { attacker, victim, insider } = scene;
    const hop = { from: attacker.link.mac, to: broadcastMac };
    const ask = (sender: string, target: string) =>
      attacker.link.send(arp(hop, { operation: "request", sender, target }));
    attacker.link.heard();
    for (const target of [victim, insider].map(({ addresses }) => addresses.ipv4)) {
      ask(attacker.addresses.ipv4, target);
      // As if it were on that network: with an address that is free there.
      ask(target.replace(/\d+$/, "200"), target);
    }
    ask(attacker.addresses.ipv4, outsideAddresses.ipv4);
    ask(attacker.addresses.ipv4, attacker.gateways.ipv4);
    const answered: string[] = [];
    await until("its own gateway answers", () => {
      answered.push(...attacker.link.heard().flatMap((received) => answeredByArp(received) ?? []));
      return answered.includes(attacker.gateways.ipv4);
    });
    assert.deepEqual(answered, [attacker.gateways.ipv4]);
  },

  "takes by ARP no address of another network, of the host or of the neighbour": async (scene) => {
    const { attacker, victim, host, networks } = scene;
    const wanted = [victim.addresses, victim.gateways, hostAddresses, outsideAddresses].map(
      ({ ipv4 }) => ipv4,
    );
    const before = neighboursOf(scene.host.netns, wanted);
    assert.ok(
      before.some((line) => line.includes(victim.link.mac)),
      before.join(", "),
    );
    const claims = wanted.flatMap((address) =>
      [broadcastMac, attacker.hostMac].flatMap((to) =>
        (["request", "reply"] as const).map((operation): Attack => {
          const hop = { from: attacker.link.mac, to };
          return { from: attacker, frame: arp(hop, { operation, sender: address, target: address }) };
        }),
      ),
    );
    // The controls that follow reach the victim and the neighbour as ever.
    await scene.arrivals(claims);
    assert.deepEqual(neighboursOf(scene.host.netns, wanted), before);
    const own = host.netns.exec("ip", "-br", "-4", "address", "show", "dev", bridgeNameOf(networks.red));
    assert.match(own, new RegExp(` ${attacker.gateways.ipv4}/`));
  },

  "gets nowhere by VLAN tags": async (scene) => {
    const { attacker, victim } = scene;
    const make = (vlan: number) =>
      families.flatMap((family) =>
        Object.entries(forbidden(scene)).flatMap(([name, [target, port]]) =>
          [attacker.addresses, victim.addresses].map((source, i): Attack => {
            const message = udp(1, port, labelled(`tag ${vlan} to ${name} as ${i} over ${family}`));
            const route = { source: source[family], target: target[family] };
            const hop = { from: attacker.link.mac, to: attacker.hostMac, vlan };
            return { from: attacker, frame: frame(hop, packet(route, message)) };
          }),
        ),
      );
    // A frame of VLAN 0 is like one without a tag; 4094 is the highest.
    assert.deepEqual(await scene.arrivalsEitherWay(() => [0, 1, 10, 4094].flatMap(make)), []);
    const route = { source: attacker.addresses.ipv4, target: attacker.gateways.ipv4 };
    const allowed = packet(route, udp(1, quietPort, labelled("tag 0 to its own gateway")));
    const hop = { from: attacker.link.mac, to: attacker.hostMac, vlan: 0 };
    await scene.arrives("host", { from: attacker, frame: frame(hop, allowed) });
  },

  "draws no traffic of others by taking their link addresses": async (scene) => {
    const { attacker, victim, host } = scene;
    const stolen = [victim.link.mac, victim.hostMac, linkOf(host.netns.path, "up0").mac, attacker.hostMac];
    for (const from of stolen) {
      const route = { source: attacker.addresses.ipv4, target: attacker.gateways.ipv4 };
      for (const to of [attacker.hostMac, broadcastMac])
        attacker.link.send(frame({ from, to }, packet(route, udp(1, quietPort, ""))));
    }
    attacker.link.heard();
    for (const family of families) {
      const out = { source: victim.addresses[family], target: outsideAddresses[family] };
      await scene.arrives("outside", attack(victim, out, udp(1, quietPort, labelled(`out over ${family}`))));
      const toHost = { source: victim.addresses[family], target: victim.gateways[family] };
      await scene.arrives("host", attack(victim, toHost, udp(1, quietPort, labelled(`in over ${family}`))));
      const answer = { source: outsideAddresses[family], target: hostAddresses[family] };
      await scene.arrives(
        "victim",
        attack(scene.outside, answer, udp(quietPort, 1, labelled(`answer over ${family}`))),
      );
    }
    assert.deepEqual(await scene.arrivals([]), []);
    const overheard = attacker.link
      .heard()
      .filter((received) => / over ipv\d>>/.test(received.toString("latin1")));
    assert.deepEqual(overheard, []);
  },

  "gets nowhere from a macvlan interface with another network's addresses": async (scene) => {
    const { attacker, victim, host, sandboxes } = scene;
    const ip = (...args: readonly string[]) => host.output(sandboxes.attacker, "ip", ...args);
    await ip("link", "add", "mv0", "link", "eth0", "type", "macvlan", "mode", "bridge");
    await ip("address", "add", victim.addresses.ipv4.replace(/\d+$/, "200/24"), "dev", "mv0");
    await ip("address", "add", `${victim.addresses.ipv6.replace(/[^:]*$/, "200")}/64`, "dev", "mv0", "nodad");
    await ip("link", "set", "mv0", "up", "promisc", "on");
    const link = RawLink.open(sandboxes.attacker.key, "mv0");
    try {
      const station = { ...attacker, link };
      const names = {
        "its own": attacker.addresses,
        "one of the victim's network": {
          ipv4: victim.addresses.ipv4.replace(/\d+$/, "200"),
          ipv6: victim.addresses.ipv6.replace(/[^:]*$/, "200"),
        },
      };
      const make = () => attempts("mv0", station, forbidden(scene), names);
      assert.deepEqual(await scene.arrivalsEitherWay(make), []);
      const route = { source: attacker.addresses.ipv4, target: attacker.gateways.ipv4 };
      await scene.arrives("host", attack(station, route, udp(1, quietPort, labelled("mv0 to its gateway"))));
      assert.notEqual(link.mac, attacker.link.mac);
    } finally {
      await link.close();
    }
  },
});
