import assert from "node:assert/strict";
import {
  frame,
  inTwo,
  type Message,
  packet,
  portUnreachable,
  type Route,
  sourceRoute,
  type TcpFlag,
  tcp,
  udp,
  withRoutingHeader,
} from "../packets/index.ts";
import { type Attack, attack, attempts, everyMessage, families, labelled, type Station } from "./attack.ts";
import {
  type AttackScene,
  attacks,
  loopbackPort,
  publishedPort,
  quietPort,
  targetPort,
} from "./attack-scene.ts";
import { hostAddresses } from "./uplink.ts";

const unpublishedPort = 9999;

/** Straight to the sandboxes, whose subnets the neighbour has routes to. */
function direct({ outside, victim, attacker, insider }: AttackScene): readonly Attack[] {
  return attempts("the neighbour", outside, {
    "an unpublished port": [victim.addresses, unpublishedPort],
    "the published target": [victim.addresses, targetPort],
    "the target that is published on loopback": [victim.addresses, targetPort + 1],
    "the host's port at the victim": [victim.addresses, publishedPort],
    "who publishes nothing": [attacker.addresses, targetPort],
    "an internal network": [insider.addresses, targetPort],
  });
}

/** In the names of those whom a service may trust. */
function inFalseNames(scene: AttackScene): readonly Attack[] {
  const { outside, victim, accomplice, insider } = scene;
  return attempts(
    "the neighbour",
    outside,
    { "the victim": [victim.addresses, targetPort], "the published port": [hostAddresses, publishedPort] },
    {
      "the accomplice": accomplice.addresses,
      "the insider": insider.addresses,
      "the victim's gateway": victim.gateways,
      "the victim itself": victim.addresses,
      "the host": hostAddresses,
      loopback: { ipv4: "127.0.0.1", ipv6: "::1" },
    },
  );
}

/** As if there were a connection, and as if something had happened to one. */
function midStream({ outside, victim }: AttackScene): readonly Attack[] {
  const flags: readonly (readonly TcpFlag[])[] = [
    ["ack"],
    ["psh", "ack"],
    ["syn", "ack"],
    ["rst"],
    ["fin", "ack"],
  ];
  return families.flatMap((family) => {
    const route = { source: outside.addresses[family], target: victim.addresses[family] };
    const back = { source: route.target, target: route.source };
    const quoted = {
      "a flow that is not": packet(back, udp(7000, quietPort, "")),
      "the victim's flow as it is before the host": packet(back, udp(ofVictim, quietPort, "")),
    };
    return [
      ...flags.map((bits) =>
        attack(
          outside,
          route,
          tcp(quietPort, targetPort, bits, labelled(`${bits.join(" ")} over ${family}`), { acknowledges: 1 }),
        ),
      ),
      ...Object.entries(quoted).map(([what, about]) =>
        attack(
          outside,
          route,
          portUnreachable(
            family === "ipv4" ? 4 : 6,
            about,
            labelled(`an error about ${what} over ${family}`),
          ),
        ),
      ),
      attack(outside, route, udp(quietPort, ofVictim, labelled(`an answer past the host over ${family}`))),
    ];
  });
}

/** The victim's port of a flow to the neighbour. */
const ofVictim = 4001;

/** In two frames, the first of which has no more than the ports. */
function fragmented(from: Station, route: Route, message: Message): readonly Attack[] {
  const hop = { from: from.link.mac, to: from.hostMac };
  return inTwo(packet(route, message), 8).map((part) => ({ from, frame: frame(hop, part) }));
}

/** By way of the host, as the sender says it is to be sent on. */
function sourceRouted({ outside, victim, insider }: AttackScene): readonly Attack[] {
  const hop = { from: outside.link.mac, to: outside.hostMac };
  return Object.entries({ victim, insider }).flatMap(([name, { addresses }]) => [
    ...Object.entries(everyMessage("ipv4", targetPort)).flatMap(([how, message]) => {
      const label = `${how} routed to the ${name}`;
      const source = outside.addresses.ipv4;
      return [
        attack(
          outside,
          { source, target: hostAddresses.ipv4, options: sourceRoute(addresses.ipv4) },
          message(`${label} by the host`),
        ),
        attack(
          outside,
          { source, target: addresses.ipv4, options: sourceRoute(hostAddresses.ipv4) },
          message(`${label} from the host`),
        ),
      ];
    }),
    ...Object.entries(everyMessage("ipv6", targetPort)).map(([how, message]) => {
      const route = { source: outside.addresses.ipv6, target: hostAddresses.ipv6 };
      const plain = packet(route, message(`${how} routed to the ${name} over ipv6`));
      return { from: outside, frame: frame(hop, withRoutingHeader(plain, addresses.ipv6)) };
    }),
  ]);
}

attacks("a neighbour with routes to the sandboxes", {
  "reaches none of them, whatever it sends": async (scene) => {
    const { victim, outside } = scene;
    for (const family of families) {
      const route = { source: victim.addresses[family], target: outside.addresses[family] };
      const message = udp(ofVictim, quietPort, labelled(`a flow over ${family}`));
      await scene.arrives("outside", attack(victim, route, message));
    }
    const heard = await scene.arrivals([
      ...direct(scene),
      ...inFalseNames(scene),
      ...midStream(scene),
      ...sourceRouted(scene),
      ...families.flatMap((family) =>
        fragmented(
          outside,
          { source: outside.addresses[family], target: victim.addresses[family] },
          udp(quietPort, targetPort, labelled(`fragments over ${family}`)),
        ),
      ),
    ]);
    // The host itself may be spoken to; a neighbour that it lets in is the host's affair.
    assert.deepEqual(
      heard.filter((line) => !line.startsWith("host")),
      [],
    );
  },

  "reaches the published port in fragments too, and answers to a flow come through": async (scene) => {
    const { victim, outside } = scene;
    for (const family of families) {
      const toPort = { source: outside.addresses[family], target: hostAddresses[family] };
      const text = labelled(`whole over ${family}`).padStart(64, "-");
      const [first, second] = fragmented(outside, toPort, udp(4002, publishedPort, text));
      assert.ok(first !== undefined && second !== undefined);
      outside.link.send(first.frame);
      await scene.arrives("victim", second);
      const out = { source: victim.addresses[family], target: outside.addresses[family] };
      await scene.arrives("outside", attack(victim, out, udp(4003, quietPort, labelled("a question"))));
      await scene.arrives("victim", attack(outside, toPort, udp(quietPort, 4003, labelled("an answer"))));
    }
  },

  "does not reach what the host has on loopback addresses": async (scene) => {
    const { outside } = scene;
    const loopbacks = {
      "127.0.0.1 or ::1": { ipv4: "127.0.0.1", ipv6: "::1" },
      "127.0.0.53 or a mapped loopback": { ipv4: "127.0.0.53", ipv6: "::ffff:127.0.0.1" },
      "127.255.255.254 or no address": { ipv4: "127.255.255.254", ipv6: "::" },
    };
    const targets = Object.entries(loopbacks).flatMap(([name, addresses]) =>
      [quietPort, publishedPort, loopbackPort].map(
        (port) => [`${name} port ${port}`, [addresses, port]] as const,
      ),
    );
    assert.deepEqual(
      await scene.arrivals(attempts("the neighbour", outside, Object.fromEntries(targets))),
      [],
    );
    const published = attempts("the neighbour", outside, {
      "the port of the loopback addresses": [hostAddresses, loopbackPort],
    });
    const heard = await scene.arrivals(published);
    assert.deepEqual(
      heard.filter((line) => line.startsWith("victim")),
      [],
    );
  },
});
