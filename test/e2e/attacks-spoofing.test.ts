import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { echoRequest, type Message, tcp, udp } from "../packets/index.ts";
import {
  type Attack,
  type AttackScene,
  attack,
  type FamilyName,
  families,
  labelled,
  publishedPort,
  quietPort,
  type Station,
  targetPort,
  withScene,
} from "./attack-scene.ts";
import type { PlainAddresses } from "./sandbox-addresses.ts";
import { farAddresses, hostAddresses, outsideAddresses } from "./uplink.ts";

const loopback: PlainAddresses = { ipv4: "127.0.0.1", ipv6: "::1" };
/** What IPv6 calls an IPv4 address that has no business on a wire. */
const mapped: PlainAddresses = { ipv4: "127.0.0.11", ipv6: "::ffff:127.0.0.1" };

/** Names that an attacker may send under, none of them its own. */
function falseNames(scene: AttackScene): Readonly<Record<string, PlainAddresses>> {
  return {
    "the victim": scene.victim.addresses,
    "the insider": scene.insider.addresses,
    "the host": hostAddresses,
    "its gateway": scene.attacker.gateways,
    "the victim's gateway": scene.victim.gateways,
    "the neighbour": outsideAddresses,
    "a stranger": farAddresses,
    loopback,
    "another loopback": mapped,
  };
}

/** Where to, and to which port of UDP and TCP. */
function targets(scene: AttackScene): Readonly<Record<string, readonly [PlainAddresses, number]>> {
  return {
    "the victim": [scene.victim.addresses, targetPort],
    "the insider": [scene.insider.addresses, targetPort],
    "the neighbour": [outsideAddresses, quietPort],
    "its gateway": [scene.attacker.gateways, quietPort],
    "the victim's gateway": [scene.victim.gateways, quietPort],
    "the host": [hostAddresses, quietPort],
    "the published port": [hostAddresses, publishedPort],
    "the published port at its gateway": [scene.attacker.gateways, publishedPort],
  };
}

function messages(family: FamilyName, port: number): Readonly<Record<string, (label: string) => Message>> {
  return {
    udp: (label) => udp(5353, port, labelled(label)),
    "tcp syn": (label) => tcp(5353, port, ["syn"], labelled(label)),
    "tcp ack": (label) => tcp(5353, port, ["ack"], labelled(label)),
    ping: (label) => echoRequest(family === "ipv4" ? 4 : 6, labelled(label)),
  };
}

/** Every false name, towards everybody, by every protocol. */
function spoofed(scene: AttackScene, who: string, from: Station): readonly Attack[] {
  return families.flatMap((family) =>
    Object.entries(falseNames(scene)).flatMap(([name, source]) =>
      Object.entries(targets(scene)).flatMap(([to, [target, port]]) =>
        Object.entries(messages(family, port)).map(([how, message]) =>
          attack(
            from,
            { source: source[family], target: target[family] },
            message(`${how} of ${who} as ${name} to ${to} over ${family}`),
          ),
        ),
      ),
    ),
  );
}

suite("a sandbox that sends under another's address", () => {
  test("is heard by nobody", () =>
    withScene(async (scene) => {
      const attacks = [
        ...spoofed(scene, "the attacker", scene.attacker),
        ...spoofed(scene, "the insider", scene.insider),
      ];
      assert.deepEqual(await scene.arrivalsEitherWay(() => attacks), []);
    }));
});
