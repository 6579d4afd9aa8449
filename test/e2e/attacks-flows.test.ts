import assert from "node:assert/strict";
import { bridgeOption } from "../../src/drivers/index.ts";
import { frame, type Message, packet, portUnreachable, type Route, tcp, udp } from "../packets/index.ts";
import { type Attack, attack, type FamilyName, families, labelled, type Station } from "./attack.ts";
import { type AttackScene, attacks, publishedPort, quietPort, targetPort } from "./attack-scene.ts";
import type { PlainAddresses } from "./sandbox-addresses.ts";
import { hostAddresses, outsideAddresses, setSysctl } from "./uplink.ts";

/** A flow that is invented, and by whom. */
interface Invented {
  readonly as: string;
  /** The victim of it, under whose name the first packet goes. */
  readonly name: PlainAddresses;
  readonly port: number;
  /** The address that the answer goes to; the victim's if not said. */
  readonly seen?: PlainAddresses;
  readonly from: Station;
  /** Who answers the first packet; the sender itself, or another sandbox of its network. */
  readonly answers: Station;
}

let nextPort = 30_000;

/**
 * First a packet from the victim, or so it says, to an address of the attacker's own; then the answer to it,
 * which is the attack: connection tracking takes it for one of a flow that it knows.
 */
function inventFlow({ as, name, seen = name, port, from, answers }: Invented): readonly Attack[] {
  return families.flatMap((family) => {
    const [there, here] = [name[family], answers.addresses[family]];
    const direct = (route: Route, message: Message): Attack => ({
      from,
      frame: frame({ from: from.link.mac, to: answers.link.mac }, packet(route, message)),
    });
    const first = { source: there, target: here };
    const second = { source: here, target: seen[family] };
    const [u1, u2, t1, t2] = [nextPort++, nextPort++, nextPort++, nextPort++];
    const label = (how: string) => labelled(`${how} to ${as} over ${family}`);
    return [
      // By way of the host, and bridged, which meets the host's IP rules if br_netfilter is on.
      attack(from, first, udp(port, u1, "")),
      attack(answers, second, udp(u1, port, label("udp by the host"))),
      direct(first, udp(port, u2, "")),
      attack(answers, second, udp(u2, port, label("udp bridged"))),
      attack(from, first, tcp(port, t1, ["syn"], "")),
      attack(answers, second, tcp(t1, port, ["syn"], label("tcp syn by the host"))),
      direct(first, tcp(port, t2, ["syn"], "")),
      attack(
        answers,
        second,
        tcp(t2, port, ["syn", "ack"], label("tcp syn ack bridged"), { acknowledges: 1001 }),
      ),
    ];
  });
}

function invented(scene: AttackScene): readonly Invented[] {
  const { attacker, accomplice, victim, insider } = scene;
  const victims = [
    { as: "the victim", name: victim.addresses, port: targetPort },
    { as: "the insider", name: insider.addresses, port: targetPort },
    { as: "the victim's gateway", name: victim.gateways, port: targetPort },
  ];
  const fromInside = [
    { as: "the victim", name: victim.addresses, port: targetPort },
    { as: "the neighbour", name: outsideAddresses, port: targetPort },
    { as: "the host", name: hostAddresses, port: targetPort },
  ];
  return [
    ...victims.flatMap((one) => [
      { ...one, from: attacker, answers: attacker },
      { ...one, from: attacker, answers: accomplice },
    ]),
    ...fromInside.map((one) => ({ ...one, from: insider, answers: insider })),
  ];
}

/** Says to the host that a packet which it sent from `port` to the neighbour did not get there. */
function complaint(from: Station, family: FamilyName, port: number, label: string): Attack {
  const quoted = packet(
    { source: hostAddresses[family], target: outsideAddresses[family] },
    udp(port, quietPort, ""),
  );
  return attack(
    from,
    { source: from.addresses[family], target: hostAddresses[family] },
    portUnreachable(family === "ipv4" ? 4 : 6, quoted, labelled(`${label} over ${family}`)),
  );
}

attacks("a sandbox that plays with connection tracking", {
  "gets nowhere by a flow that it invents": async (scene) => {
    assert.deepEqual(await scene.arrivalsEitherWay(() => invented(scene).flatMap(inventFlow)), []);
  },

  "is not believed about flows of others, as a router is": async (scene) => {
    const { victim, attacker, accomplice, insider, outside } = scene;
    const [ofVictim, ofHost] = [4001, 4002];
    for (const family of families) {
      const toOutside = { source: victim.addresses[family], target: outsideAddresses[family] };
      await scene.arrives(
        "outside",
        attack(victim, toOutside, udp(ofVictim, quietPort, labelled("a flow of the victim"))),
      );
      const toHost = { source: outside.addresses[family], target: hostAddresses[family] };
      await scene.arrives(
        "host",
        attack(outside, toHost, udp(quietPort, ofHost, labelled("a flow of the host"))),
      );
    }
    const complaints = families.flatMap((family) =>
      Object.entries({ attacker, accomplice, insider }).flatMap(([name, from]) => [
        complaint(from, family, ofVictim, `${name} on the victim's flow`),
        complaint(from, family, ofHost, `${name} on the host's flow`),
      ]),
    );
    assert.deepEqual(await scene.arrivals(complaints), []);
    for (const family of families) {
      await scene.arrives("victim", complaint(outside, family, ofVictim, "a router on the victim's flow"));
      await scene.arrives("host", complaint(outside, family, ofHost, "a router on the host's flow"));
    }
  },

  "is believed about its own flows": async (scene) => {
    const { victim, outside } = scene;
    for (const family of families) {
      const request = { source: outside.addresses[family], target: hostAddresses[family] };
      const message = udp(4003, publishedPort, labelled("a request"));
      await scene.arrives("victim", attack(outside, request, message));
      const quoted = packet(
        { source: outside.addresses[family], target: victim.addresses[family] },
        udp(4003, targetPort, ""),
      );
      const answer = { source: victim.addresses[family], target: outside.addresses[family] };
      const refusal = portUnreachable(family === "ipv4" ? 4 : 6, quoted, labelled("a refusal"));
      await scene.arrives("outside", attack(victim, answer, refusal));
    }
  },

  "sends nothing outside that is in no flow, for it would go under its own address": async (scene) => {
    const { attacker } = scene;
    const stray = families.flatMap((family) => {
      const route = { source: attacker.addresses[family], target: outsideAddresses[family] };
      return (["rst", "fin"] as const).map((flag) =>
        attack(attacker, route, tcp(4100, quietPort, [flag, "ack"], labelled(`${flag} over ${family}`))),
      );
    });
    const heard = await scene.arrivals(stray);
    assert.deepEqual(
      heard.filter((line) => line.includes("rst")),
      [],
    );
  },
});

for (const masquerade of ["true", "false"] as const) {
  attacks(
    `a neighbour of a router, with masquerading ${masquerade},`,
    {
      "reaches no sandbox by a flow that it invents": async (scene) => {
        const { outside, victim, insider } = scene;
        const invent = (name: PlainAddresses, as: string, seen = name) =>
          inventFlow({ as, name, seen, port: targetPort, from: outside, answers: outside });
        const heard = await scene.arrivals([
          ...invent(victim.addresses, "the victim"),
          // Masqueraded, the first packet comes back to its sender in the host's name.
          ...invent(victim.addresses, "the victim by the host's address", hostAddresses),
          ...invent(insider.addresses, "the insider"),
        ]);
        // The host itself may be spoken to.
        assert.deepEqual(
          heard.filter((line) => !line.startsWith("host")),
          [],
        );
      },
    },
    {
      network: { options: { [bridgeOption.masquerade]: masquerade } },
      prepare: ({ netns }) => {
        for (const key of ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"]) setSysctl(netns, key, "1");
      },
    },
  );
}
