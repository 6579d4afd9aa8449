import assert from "node:assert/strict";
import { attempts, type Target } from "./attack.ts";
import { type AttackScene, attacks, publishedPort, quietPort, targetPort } from "./attack-scene.ts";
import type { PlainAddresses } from "./sandbox-addresses.ts";
import { farAddresses, hostAddresses, outsideAddresses } from "./uplink.ts";

/** Names that a sandbox may send under, none of them its own; but the insider's, who may send nowhere at all. */
function falseNames(scene: AttackScene): Readonly<Record<string, PlainAddresses>> {
  return {
    "the victim": scene.victim.addresses,
    "the insider": scene.insider.addresses,
    "the host": hostAddresses,
    "the attacker's gateway": scene.attacker.gateways,
    "the victim's gateway": scene.victim.gateways,
    "the neighbour": outsideAddresses,
    "a stranger": farAddresses,
    loopback: { ipv4: "127.0.0.1", ipv6: "::1" },
    // What IPv6 calls an IPv4 address that has no business on a wire (RFC 4291 §2.5.5.2).
    "another loopback": { ipv4: "127.0.0.11", ipv6: "::ffff:127.0.0.1" },
  };
}

function targets(scene: AttackScene): Readonly<Record<string, Target>> {
  return {
    "the victim": [scene.victim.addresses, targetPort],
    "the insider": [scene.insider.addresses, targetPort],
    "the neighbour": [outsideAddresses, quietPort],
    "the attacker's gateway": [scene.attacker.gateways, quietPort],
    "the victim's gateway": [scene.victim.gateways, quietPort],
    "the host": [hostAddresses, quietPort],
    "the published port": [hostAddresses, publishedPort],
    "the published port at the attacker's gateway": [scene.attacker.gateways, publishedPort],
  };
}

attacks("a sandbox that sends under another's address", {
  "is heard by nobody": async (scene) => {
    const { attacker, insider } = scene;
    const attacks = [
      ...attempts("the attacker", attacker, targets(scene), falseNames(scene)),
      ...attempts("the insider", insider, targets(scene), falseNames(scene)),
    ];
    assert.deepEqual(await scene.arrivalsEitherWay(() => attacks), []);
  },
});
