import assert from "node:assert/strict";
import type { MacAddress } from "../../src/core/index.ts";
import { bridgeOption } from "../../src/drivers/index.ts";
import {
  allNodes,
  answeredByArp,
  arp,
  broadcastMac,
  frame,
  inTwo,
  packet,
  RawHost,
  udp,
} from "../packets/index.ts";
import { type Attack, attempts, everyMessage, families, labelled, labelsIn } from "./attack.ts";
import { type AttackScene, attacks, setBridgeNetfilter, targetPort } from "./attack-scene.ts";
import { until } from "./until.ts";
import { hostAddresses } from "./uplink.ts";

/** The port of every sandbox's resolver, at 127.0.0.11 in its own namespace. */
const resolverPort = 61_053;
const closed = { network: { options: { [bridgeOption.icc]: "false" } } };

/** Where a frame goes that leads to a sibling without the host; the sibling's own address if not said. */
interface Place {
  readonly to: MacAddress;
  readonly target?: string;
  readonly port?: number;
}

/** Every message, in frames of the attacker's. */
function byLink(
  { attacker, accomplice }: AttackScene,
  how: string,
  { to, target, port = targetPort }: Place,
): readonly Attack[] {
  return families.flatMap((family) => {
    const route = { source: attacker.addresses[family], target: target ?? accomplice.addresses[family] };
    if (route.source.includes(":") !== route.target.includes(":")) return []; // of the other family
    return Object.entries(everyMessage(family, port)).map(([name, message]) => ({
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
    ...byLink(scene, "to its link address", { to: accomplice.link.mac }),
    ...byLink(scene, "broadcast", { to: broadcastMac }),
    ...byLink(scene, "to all in its subnet", { to: broadcastMac, target: directedBroadcast }),
    ...byLink(scene, "to all nodes", { to: allNodes.mac, target: allNodes.address }),
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

attacks(
  "a sandbox on a network without communication",
  {
    "is not heard by its siblings": async (scene) => {
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
    },

    "reaches a port that a sibling publishes, or it itself, by the host's addresses": async ({
      host,
      networks,
      sandboxes,
      attacker,
    }) => {
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
    },
  },
  closed,
);

attacks("a sandbox on a network with communication", {
  "is heard by its siblings, and by nobody else": async (scene) => {
    const heard = await scene.arrivals(everyWay(scene));
    const byTheGateway = "udp of the attacker as itself to its sibling by the gateway";
    for (const family of families)
      for (const how of ["udp to its link address", "udp broadcast", byTheGateway])
        assert.ok(heard.includes(`accomplice heard ${how} over ${family}`), `${how} over ${family}`);
    assert.deepEqual(
      heard.filter((line) => /^(victim|insider|outside)/.test(line)),
      [],
    );
  },

  "reaches no sibling's resolver": async (scene) => {
    const { accomplice, sandboxes } = scene;
    const ear = RawHost.open(sandboxes.accomplice.key);
    const { mac: to } = accomplice.link;
    const name = "to the resolver's own address";
    try {
      for (const { from, frame } of byLink(scene, name, { to, target: "127.0.0.11", port: resolverPort }))
        from.link.send(frame);
      const heard: string[] = [];
      for (const { from, frame } of byLink(scene, "after it", { to })) from.link.send(frame);
      await until("the sibling takes what is for it", () => {
        heard.push(...labelsIn(ear.heard()));
        return heard.includes("udp after it over ipv6");
      });
      assert.deepEqual(
        heard.filter((label) => label.includes(name)),
        [],
      );
    } finally {
      ear.close();
    }
    const client = await scene.host.agent(sandboxes.attacker);
    for (const protocol of ["tcp", "udp"] as const) {
      const refusal = await client.unreached(accomplice.addresses.ipv4, protocol, resolverPort);
      assert.equal(refusal, "ECONNREFUSED");
    }
  },
});
