import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { MacAddress } from "../../src/core/index.ts";
import { bridgeOption } from "../../src/drivers/index.ts";
import { allNodes, answeredByArp, arp, broadcastMac, frame, inTwo, packet, udp } from "../packets/index.ts";
import {
  type Attack,
  type AttackScene,
  attempts,
  everyMessage,
  families,
  labelled,
  setBridgeNetfilter,
  targetPort,
  withScene,
} from "./attack-scene.ts";
import { hostAddresses } from "./uplink.ts";

const closed = { network: { options: { [bridgeOption.icc]: "false" } } };

/** Every message, in frames to a link address that lead to the sibling without the host. */
function byLink(
  { attacker, accomplice }: AttackScene,
  how: string,
  to: MacAddress,
  target?: string,
): readonly Attack[] {
  return families.flatMap((family) => {
    const route = { source: attacker.addresses[family], target: target ?? accomplice.addresses[family] };
    if (route.source.includes(":") !== route.target.includes(":")) return [];
    return Object.entries(everyMessage(family, targetPort)).map(([name, message]) => ({
      from: attacker,
      frame: frame({ from: attacker.link.mac, to }, packet(route, message(`${name} ${how} over ${family}`))),
    }));
  });
}

/** Whatever may lead from one sandbox to another on the same bridge. */
function everyWay(scene: AttackScene): readonly Attack[] {
  const { attacker, accomplice } = scene;
  const directedBroadcast = accomplice.addresses.ipv4.replace(/\d+$/, "255");
  return [
    ...byLink(scene, "to its link address", accomplice.link.mac),
    ...byLink(scene, "broadcast", broadcastMac),
    ...byLink(scene, "to all in its subnet", broadcastMac, directedBroadcast),
    ...byLink(scene, "to all nodes", allNodes.mac, allNodes.address),
    ...attempts("the attacker", attacker, {
      "its sibling by the gateway": [accomplice.addresses, targetPort],
      "all in its subnet by the gateway": [
        { ipv4: directedBroadcast, ipv6: accomplice.addresses.ipv6 },
        targetPort,
      ],
    }),
    ...attempts(
      "the attacker",
      attacker,
      { "its sibling by the gateway": [accomplice.addresses, targetPort] },
      { "its sibling": accomplice.addresses, "the gateway": attacker.gateways, "the host": hostAddresses },
    ),
    ...families.flatMap((family) => {
      const route = { source: attacker.addresses[family], target: accomplice.addresses[family] };
      const message = udp(1, targetPort, labelled(`fragments over ${family}`));
      return inTwo(packet(route, message), 8).flatMap((part) =>
        [attacker.hostMac, accomplice.link.mac].map((to) => ({
          from: attacker,
          frame: frame({ from: attacker.link.mac, to }, part),
        })),
      );
    }),
  ];
}

suite("a sandbox on a network without communication", () => {
  test("is not heard by its siblings", () =>
    withScene(async (scene) => {
      const { attacker, accomplice } = scene;
      const heard = await scene.arrivalsEitherWay(() => everyWay(scene));
      // What goes to all of the link goes to the host too.
      assert.deepEqual(
        heard.filter((line) => !line.startsWith("host")),
        [],
      );
      const hop = { from: attacker.link.mac, to: broadcastMac };
      attacker.link.send(
        arp(hop, {
          operation: "request",
          sender: attacker.addresses.ipv4,
          target: accomplice.addresses.ipv4,
        }),
      );
      await scene.arrivals([]);
      assert.deepEqual(
        attacker.link.heard().flatMap((received) => answeredByArp(received) ?? []),
        [],
      );
    }, closed));

  test("reaches a port that a sibling publishes, or it itself, by the host's addresses", () =>
    withScene(async ({ host, networks, sandboxes, attacker }) => {
      const server = await host.controller.createSandbox("server", {
        ports: ["8090:7777", "8090:7777/udp"],
        endpoints: [{ network: networks.red }],
      });
      const clients = [await host.agent(server), await host.agent(sandboxes.attacker)];
      for (const bridgeNetfilter of ["0", "1"] as const) {
        setBridgeNetfilter(host, bridgeNetfilter);
        const addresses = families.flatMap((family) => [hostAddresses[family], attacker.gateways[family]]);
        const tries = addresses.flatMap((address) =>
          clients.flatMap((client) =>
            (["tcp", "udp"] as const).map((protocol) => client.reach(address, protocol, 8090)),
          ),
        );
        await Promise.all(tries);
      }
    }, closed));
});

test("the same packets are heard by siblings where they may talk", () =>
  withScene(async (scene) => {
    const heard = await scene.arrivals(everyWay(scene));
    for (const family of families)
      for (const how of [
        "udp to its link address",
        "udp broadcast",
        "udp of the attacker as itself to its sibling by the gateway",
      ])
        assert.ok(heard.includes(`accomplice heard ${how} over ${family}`), `${how} over ${family}`);
    assert.deepEqual(
      heard.filter((line) => /^(victim|insider|outside)/.test(line)),
      [],
    );
  }));
