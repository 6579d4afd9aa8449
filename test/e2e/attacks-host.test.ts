import assert from "node:assert/strict";
import { bridgeOption } from "../../src/drivers/index.ts";
import { frame, inTwo, packet, udp } from "../packets/index.ts";
import { type Attack, attack, attempts, families, labelled, type Target } from "./attack.ts";
import {
  type AttackScene,
  attacks,
  loopbackPort,
  publishedPort,
  quietPort,
  targetPort,
} from "./attack-scene.ts";
import { bridgeNameOf, linkLocalOf, type PlainAddresses } from "./sandbox-addresses.ts";
import { until } from "./until.ts";
import { farAddresses, hasLinkLocal, hostAddresses, outsideAddresses } from "./uplink.ts";

const loopbacks: Readonly<Record<string, PlainAddresses>> = {
  loopback: { ipv4: "127.0.0.1", ipv6: "::1" },
  "the resolver's loopback": { ipv4: "127.0.0.11", ipv6: "::ffff:127.0.0.11" },
  "another loopback": { ipv4: "127.8.8.8", ipv6: "::ffff:127.0.0.1" },
  "no address": { ipv4: "0.0.0.0", ipv6: "::" },
};

/** The port of every sandbox's resolver, which rules in the sandbox lead to. */
const resolverPort = 61_053;

function onEach(
  addresses: Readonly<Record<string, PlainAddresses>>,
  ports: readonly number[],
): Readonly<Record<string, Target>> {
  return Object.fromEntries(
    Object.entries(addresses).flatMap(([name, one]) =>
      ports.map((port) => [`${name}, port ${port}`, [one, port]] as const),
    ),
  );
}

attacks("a sandbox with raw sockets", {
  "does not reach what the host has on loopback addresses": async (scene) => {
    const targets = onEach(loopbacks, [quietPort, publishedPort, loopbackPort, 53, resolverPort]);
    const attacks = [
      ...attempts("the attacker", scene.attacker, targets),
      ...attempts("the insider", scene.insider, targets),
    ];
    assert.deepEqual(await scene.arrivalsEitherWay(() => attacks), []);
  },

  "reaches neither other networks' sandboxes nor their bridges": async (scene) => {
    const { attacker, victim, insider, networks, host } = scene;
    const targets = onEach(
      {
        "the victim": victim.addresses,
        "the insider": insider.addresses,
        "the victim's bridge": victim.gateways,
        "the insider's bridge": insider.gateways,
      },
      [quietPort, targetPort, targetPort + 1, loopbackPort, resolverPort],
    );
    assert.deepEqual(await scene.arrivalsEitherWay(() => attempts("the attacker", attacker, targets)), []);

    for (const network of [networks.red, networks.blue])
      await until("the bridge has its link-local address", () =>
        hasLinkLocal(host.netns, bridgeNameOf(network)),
      );
    const otherBridge = linkLocalOf(host.netns, bridgeNameOf(networks.blue));
    const route = { source: attacker.addresses.ipv6, target: otherBridge };
    assert.deepEqual(
      await scene.arrivals([attack(attacker, route, udp(1, quietPort, labelled("to a link-local address")))]),
      [],
    );
    const ownBridge = { ...route, target: linkLocalOf(host.netns, bridgeNameOf(networks.red)) };
    await scene.arrives(
      "host",
      attack(attacker, ownBridge, udp(1, quietPort, labelled("to its own bridge"))),
    );
  },

  "reaches published ports by any of the host's addresses, bridges among them": async (scene) => {
    const { attacker, victim, insider } = scene;
    const targets = {
      hostAddresses,
      own: attacker.gateways,
      its: victim.gateways,
      inner: insider.gateways,
    };
    for (const one of attempts("the attacker", attacker, onEach(targets, [publishedPort])))
      if (one.frame.includes("<<udp") || one.frame.includes("<<tcp syn")) await scene.arrives("victim", one);
  },

  "is heard by nobody but its own bridge when its network is internal": async (scene) => {
    const { insider } = scene;
    const atItsBridge = onEach({ "its own bridge": insider.gateways }, [publishedPort, loopbackPort]);
    const make = () => [
      ...everywhere(scene),
      // A ping to its own bridge may arrive.
      ...attempts("the insider", insider, atItsBridge).filter(({ frame }) => !frame.includes("<<ping")),
      ...inFragments(scene),
    ];
    assert.deepEqual(await scene.arrivalsEitherWay(make), []);
  },
});

attacks(
  "a sandbox on an isolated network",
  {
    "is heard by nobody": async (scene) => {
      const bridge = bridgeNameOf(scene.networks.inner);
      assert.equal(scene.host.netns.exec("ip", "-br", "address", "show", "dev", bridge).split(/\s+/)[2], "");
      assert.deepEqual(await scene.arrivalsEitherWay(() => everywhere(scene)), []);
    },
  },
  {
    inner: {
      options: { [bridgeOption.gatewayModeIpv4]: "isolated", [bridgeOption.gatewayModeIpv6]: "isolated" },
    },
  },
);

/** From an internal network to everybody outside of it. */
function everywhere(scene: AttackScene): readonly Attack[] {
  const { attacker, victim, insider } = scene;
  const everybody = {
    "the attacker": attacker.addresses,
    "the victim": victim.addresses,
    "the attacker's bridge": attacker.gateways,
    "the victim's bridge": victim.gateways,
    "the host": hostAddresses,
    "the neighbour": outsideAddresses,
    "a stranger": farAddresses,
  };
  const ports = [quietPort, targetPort, publishedPort, loopbackPort, 53];
  return [...attempts("the insider", insider, onEach(everybody, ports)), ...broadcasts(scene)];
}

/** To everybody on networks that it is not on. */
function broadcasts({ insider, victim }: AttackScene): readonly Attack[] {
  const last = (address: string) => address.replace(/\d+$/, "255");
  return [hostAddresses.ipv4, victim.gateways.ipv4].map((address) =>
    attack(
      insider,
      { source: insider.addresses.ipv4, target: last(address) },
      udp(1, quietPort, labelled(`to all near ${address}`)),
    ),
  );
}

/** A published port whose number is not in the first thing that arrives. */
function inFragments({ insider }: AttackScene): readonly Attack[] {
  return families.flatMap((family) => {
    const route = { source: insider.addresses[family], target: insider.gateways[family] };
    const message = udp(1, publishedPort, labelled(`in fragments over ${family}`).padStart(64, "-"));
    return inTwo(packet(route, message), 8).map((part) => ({
      from: insider,
      frame: frame({ from: insider.link.mac, to: insider.hostMac }, part),
    }));
  });
}
