import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { bridgeOption } from "../../src/drivers/index.ts";
import type { Network, NetworkOptions } from "../../src/index.ts";
import { linkOf, RawLink, udp } from "../packets/index.ts";
import { attack, families, labelled, labelsIn, type Station } from "./attack.ts";
import { quietPort } from "./attack-scene.ts";
import {
  addressesOf,
  bridgeNameOf,
  gatewaysOf,
  type PlainAddresses,
  subnetsOf,
} from "./sandbox-addresses.ts";
import { type TestHost, withHost } from "./test-host.ts";
import { until } from "./until.ts";
import { hostAddresses, joinToHost, outsideAddresses, routeTo } from "./uplink.ts";

/** The sandbox's port that its datagrams come from; nothing is published. */
const sourcePort = 5000;

/** Networks by name, and where the neighbour sends its answers to. */
const table: readonly (readonly [
  string,
  NetworkOptions,
  answersTo: (sandbox: PlainAddresses) => PlainAddresses,
])[] = [
  ["masqueraded", {}, () => hostAddresses],
  ["not masqueraded", { options: { [bridgeOption.masquerade]: "false" } }, (sandbox) => sandbox],
];

/** A sandbox with the same addresses as every other that this makes. */
async function station(host: TestHost, network: Network, name: string) {
  const sandbox = await host.controller.createSandbox(name, {
    endpoints: [{ network, ipv4Address: "10.9.0.9", ipv6Address: "fd00:9::9" }],
  });
  const link = RawLink.open(sandbox.key, "eth0");
  const hostMac = linkOf(host.netns.path, bridgeNameOf(network)).mac;
  const addresses = await addressesOf(sandbox);
  return { sandbox, link, hostMac, addresses, gateways: gatewaysOf(network) };
}

/** Waits until the station has heard the label over both families; gives all that it heard until then. */
async function heardUntil({ link }: Station, label: string): Promise<readonly string[]> {
  const heard: string[] = [];
  await until(
    `${label} arrives`,
    () => {
      heard.push(...labelsIn(link.heard()));
      return families.every((family) => heard.includes(`${label} ${family}`));
    },
    () => heard.join(", "),
  );
  return heard;
}

suite("whoever gets an address next", () => {
  for (const [name, options, answersTo] of table) {
    test(`is not sent what was for the one before, on a network that is ${name}`, () =>
      withHost(async (host) => {
        await joinToHost(host);
        const network = await host.controller.createNetwork("bridge", "net", {
          ipv6: true,
          ipam: { subnets: [{ subnet: "10.9.0.0/24" }, { subnet: "fd00:9::/64" }] },
          ...options,
        });
        for (const subnet of subnetsOf(network)) routeTo(host, subnet);
        const neighbour: Station = {
          link: RawLink.open(host.outside.path, "wire0"),
          addresses: outsideAddresses,
          hostMac: linkOf(host.netns.path, "up0").mac,
          gateways: hostAddresses,
        };
        const ask = (from: Station, port: number, label: string) => {
          for (const family of families) {
            const route = { source: from.addresses[family], target: outsideAddresses[family] };
            from.link.send(attack(from, route, udp(port, quietPort, labelled(`${label} ${family}`))).frame);
          }
        };
        const answer = (to: Station, port: number, label: string) => {
          for (const family of families) {
            const route = { source: outsideAddresses[family], target: answersTo(to.addresses)[family] };
            const message = udp(quietPort, port, labelled(`${label} ${family}`));
            neighbour.link.send(attack(neighbour, route, message).frame);
          }
        };
        try {
          const first = await station(host, network, "first");
          try {
            ask(first, sourcePort, "question");
            await heardUntil(neighbour, "question");
            answer(first, sourcePort, "answer");
            await heardUntil(first, "answer");
          } finally {
            first.link.close();
          }
          await first.sandbox.delete();
          await host.controller.idle();
          const next = await station(host, network, "next");
          try {
            assert.deepEqual(next.addresses, first.addresses);
            // What it asks for itself is answered, after all that was sent before.
            ask(next, sourcePort + 1, "its question");
            await heardUntil(neighbour, "its question");
            answer(next, sourcePort, "late");
            answer(next, sourcePort + 1, "its answer");
            const heard = await heardUntil(next, "its answer");
            assert.deepEqual(
              heard.filter((label) => label.startsWith("late")),
              [],
            );
          } finally {
            next.link.close();
          }
        } finally {
          neighbour.link.close();
        }
      }));
  }
});
