import assert from "node:assert/strict";
import { test } from "node:test";
import type { MacAddress } from "../../src/core/index.ts";
import { bridgeOption } from "../../src/drivers/index.ts";
import { frame, linkOf, packet, RawHost, RawLink, udp } from "../packets/index.ts";
import { families, labelled, labelsIn } from "./attack.ts";
import { setBridgeNetfilter } from "./attack-scene.ts";
import {
  internetAddresses,
  type Lan,
  lanAddressesOf,
  lanNetwork,
  machineAddresses,
  uplink,
  withLan,
} from "./lan.ts";
import { addressesOf, type PlainAddresses } from "./sandbox-addresses.ts";
import { until } from "./until.ts";
import { hostAddresses, joinToHost, outsideAddresses, setSysctl } from "./uplink.ts";

/** One datagram: from which link, in whose name, to whom by the host. */
interface Try {
  readonly from: RawLink;
  readonly to: MacAddress;
  readonly source: PlainAddresses;
  readonly target: PlainAddresses;
}

/** A host with a network on the LAN, one that is translated, and a neighbour on another wire. */
async function build({ hosts: [host], machine }: Lan, icc: string) {
  const { controller } = host;
  await joinToHost(host);
  const options = { [bridgeOption.parent]: uplink, [bridgeOption.icc]: icc };
  const lan = await controller.createNetwork("bridge", "lan", lanNetwork(0, options));
  const nat = await controller.createNetwork("bridge", "nat", {
    ipv6: true,
    options: { [bridgeOption.name]: "brnat" },
  });
  const onLan = await controller.createSandbox("onLan", {
    endpoints: [{ network: lan }],
    ports: ["8081:7777/udp", "8081:7777/tcp"],
  });
  const onNat = await controller.createSandbox("onNat", {
    endpoints: [{ network: nat }],
    ports: ["8080:7777/udp", "8080:7777/tcp"],
  });
  return {
    host,
    links: {
      onLan: RawLink.open(onLan.key, "eth0"),
      onNat: RawLink.open(onNat.key, "eth0"),
      machine: RawLink.open(machine.path, "eth0"),
      outside: RawLink.open(host.outside.path, "wire0"),
    },
    ear: RawHost.open(host.netns.path),
    addresses: { onLan: await addressesOf(onLan), onNat: await addressesOf(onNat) },
    macs: {
      brnet: linkOf(host.netns.path, "brnet").mac,
      up0: linkOf(host.netns.path, "up0").mac,
    },
    onLan,
    onNat,
  };
}

type Scene = Awaited<ReturnType<typeof build>>;

/** Sends each try over both families; gives who heard which of them by the time that the last try, which may pass, was heard. */
async function heardOf(scene: Scene, tries: Readonly<Record<string, Try>>): Promise<readonly string[]> {
  const heard = new Set<string>();
  const listen = () => {
    for (const [name, link] of Object.entries(scene.links))
      for (const label of labelsIn(link.heard())) heard.add(`${name} heard ${label}`);
    for (const label of labelsIn(scene.ear.heard())) heard.add(`host heard ${label}`);
  };
  const host = lanAddressesOf(0);
  const control: Try = {
    from: scene.links.machine,
    to: scene.macs.brnet,
    source: machineAddresses,
    target: host,
  };
  listen();
  heard.clear();
  for (const [name, { from, to, source, target }] of Object.entries({ ...tries, control }))
    for (const family of families)
      from.send(
        frame(
          { from: from.mac, to },
          packet(
            { source: source[family], target: target[family] },
            udp(9, 9, labelled(`${name}, ${family}`)),
          ),
        ),
      );
  await until("the host has heard the controls", () => {
    listen();
    return families.every((family) => heard.has(`host heard control, ${family}`));
  });
  return [...heard].filter((line) => !line.includes("control")).sort();
}

/** What may not pass, and what has to, each by its name. */
function tries({ links, macs, addresses }: Scene) {
  const host = lanAddressesOf(0);
  const byBridge = { from: links.onLan, to: macs.brnet };
  const byMachine = { from: links.machine, to: macs.brnet };
  const byWire = { from: links.outside, to: macs.up0 };
  return {
    refused: {
      "a sandbox as the internet to the host": { ...byBridge, source: internetAddresses, target: host },
      "a sandbox as another network's to the host": { ...byBridge, source: addresses.onNat, target: host },
      "a sandbox as the neighbour to the neighbour": {
        ...byBridge,
        source: outsideAddresses,
        target: outsideAddresses,
      },
      "a sandbox as the internet to the neighbour": {
        ...byBridge,
        source: internetAddresses,
        target: outsideAddresses,
      },
      "a sandbox to another network's": { ...byBridge, source: addresses.onLan, target: addresses.onNat },
      "the machine to another network's": { ...byMachine, source: machineAddresses, target: addresses.onNat },
      "the internet to another network's": {
        ...byMachine,
        source: internetAddresses,
        target: addresses.onNat,
      },
      // weft made the host forward, and for its own networks alone.
      "the machine to the neighbour": { ...byMachine, source: machineAddresses, target: outsideAddresses },
      "the internet to the neighbour": { ...byMachine, source: internetAddresses, target: outsideAddresses },
      "the neighbour to a sandbox": { ...byWire, source: outsideAddresses, target: addresses.onLan },
      "the neighbour as another network's to the host": {
        ...byWire,
        source: addresses.onNat,
        target: hostAddresses,
      },
    } satisfies Record<string, Try>,
    passed: {
      "the internet to the host": { ...byMachine, source: internetAddresses, target: host },
      // It may come by any of the host's links, as a router chooses.
      "the machine by the wire to the host": { ...byWire, source: machineAddresses, target: hostAddresses },
    } satisfies Record<string, Try>,
  };
}

for (const icc of ["true", "false"]) {
  test(`a LAN gets no further by a bridge with a port to it, and a sandbox speaks in no other's name there, with enable_icc=${icc}`, () =>
    withLan(async (lan) => {
      const scene = await build(lan, icc);
      const { host } = scene;
      try {
        // Whether the host itself would take these is not asked here.
        for (const link of ["all", "up0", "brnet"])
          setSysctl(host.netns, `net/ipv4/conf/${link}/rp_filter`, "0");
        for (const bridgeNetfilter of ["0", "1"] as const) {
          setBridgeNetfilter(host, bridgeNetfilter);
          const { refused, passed } = tries(scene);
          assert.deepEqual(await heardOf(scene, refused), [], `br_netfilter ${bridgeNetfilter}`);
          const names = Object.keys(passed).flatMap((name) =>
            families.map((family) => `host heard ${name}, ${family}`),
          );
          // Nobody listens there, and the machine is told so.
          const heard = (await heardOf(scene, passed)).filter((line) => line.startsWith("host"));
          assert.deepEqual(heard, names.sort(), `br_netfilter ${bridgeNetfilter}`);
        }
        // Networks are kept apart, and the LAN is one; but the host's address there is everybody's.
        const [onNat, machine, itself] = [
          await host.agent(scene.onNat),
          await host.agent(lan.machine),
          await host.agent(host.netns),
        ];
        await host.agent(scene.onLan);
        for (const family of families) {
          assert.ok(await onNat.unreached(machineAddresses[family]));
          assert.equal(await onNat.reach(lanAddressesOf(0)[family]), scene.addresses.onNat[family]);
          await machine.reach(lanAddressesOf(0)[family], "tcp", 8080);
          await machine.reach(lanAddressesOf(0)[family], "udp", 8080);
          await machine.reach(lanAddressesOf(0)[family], "tcp", 8081);
          await machine.reach(lanAddressesOf(0)[family], "udp", 8081);
          assert.equal(await itself.reach(machineAddresses[family]), lanAddressesOf(0)[family]);
        }
      } finally {
        scene.ear.close();
        await Promise.all(Object.values(scene.links).map((link) => link.close()));
      }
    }));
}
