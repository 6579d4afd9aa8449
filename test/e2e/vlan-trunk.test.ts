import assert from "node:assert/strict";
import { test } from "node:test";
import { bridgeOption } from "../../src/drivers/index.ts";
import { needsKernel } from "../needs-kernel.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import { broadcastMac, frame, packet, RawLink, udp } from "../packets/index.ts";
import type { Agent } from "./agent.ts";
import { families, labelled, labelsIn } from "./attack.ts";
import { type Lan, plug, uplink, withLan } from "./lan.ts";
import { addressesOf, type PlainAddresses } from "./sandbox-addresses.ts";
import { linksIn, type TestHost } from "./test-host.ts";
import { until } from "./until.ts";

needsKernel("802.1Q");

const vlans = [10, 20, 30] as const;
type Vlan = (typeof vlans)[number];

/** Somebody on a VLAN, with a program and with raw sockets. */
interface Station {
  readonly name: string;
  readonly vlan: Vlan | "none";
  readonly agent: Agent;
  readonly addresses: PlainAddresses;
  readonly link: RawLink;
}

const machineOn = (vlan: Vlan): PlainAddresses => ({
  ipv4: `192.168.${vlan}.50`,
  ipv6: `fd${vlan}::50`,
});

/** The switch passes the VLANs between the hosts' ports, and each untagged to one machine's. */
function trunk({ wires, hostPorts }: Lan, machines: Readonly<Record<string, TestNetns>>): void {
  wires.exec("ip", "link", "set", "sw0", "type", "bridge", "vlan_filtering", "1");
  for (const vlan of vlans) {
    for (const port of hostPorts) wires.exec("bridge", "vlan", "add", "dev", port, "vid", String(vlan));
    const machine = machines[`m${vlan}`];
    assert.ok(machine);
    const port = plug(wires, machine, "eth0", machineOn(vlan));
    wires.exec("bridge", "vlan", "del", "dev", port, "vid", "1");
    wires.exec("bridge", "vlan", "add", "dev", port, "vid", String(vlan), "pvid", "untagged");
  }
}

/** A network of the host on one VLAN; its sandboxes' default gateway is the host. */
async function addNetwork(host: TestHost, number: number, vlan: Vlan): Promise<void> {
  await host.controller.createNetwork("bridge", `vlan${vlan}`, {
    ipv6: true,
    options: { [bridgeOption.name]: `br${vlan}`, [bridgeOption.parent]: `${uplink}.${vlan}` },
    ipam: {
      subnets: [
        {
          subnet: `192.168.${vlan}.0/24`,
          ipRange: `192.168.${vlan}.${32 + 16 * number}/28`,
          gateway: `192.168.${vlan}.${11 + number}`,
        },
        {
          subnet: `fd${vlan}::/64`,
          ipRange: `fd${vlan}::${number + 1}:0/112`,
          gateway: `fd${vlan}::${11 + number}`,
        },
      ],
    },
  });
}

async function addSandbox(host: TestHost, name: string, vlan: Vlan | "none"): Promise<Station> {
  const network = host.controller.network(vlan === "none" ? "native" : `vlan${vlan}`);
  const sandbox = await host.controller.createSandbox(name, { endpoints: [{ network }] });
  const [agent, addresses] = [await host.agent(sandbox), await addressesOf(sandbox)];
  return { name, vlan, agent, addresses, link: RawLink.open(sandbox.key, "eth0") };
}

async function settle(lan: Lan, machines: Readonly<Record<string, TestNetns>>): Promise<readonly Station[]> {
  trunk(lan, machines);
  const [first, second, third] = lan.hosts;
  for (const [number, host] of lan.hosts.entries())
    for (const vlan of vlans) await addNetwork(host, number, vlan);
  await third.controller.createNetwork("bridge", "native", {
    options: { [bridgeOption.name]: "brnative", [bridgeOption.parent]: uplink },
    ipam: { subnets: [{ subnet: "192.168.57.0/24", ipRange: "192.168.57.64/28", gateway: "192.168.57.13" }] },
  });
  const stations = [
    await addSandbox(first, "a10", 10),
    await addSandbox(first, "a20", 20),
    await addSandbox(first, "a30", 30),
    await addSandbox(second, "b10", 10),
    await addSandbox(second, "b20", 20),
    await addSandbox(third, "c30", 30),
    await addSandbox(third, "native", "none"),
  ];
  for (const vlan of vlans) {
    const machine = machines[`m${vlan}`];
    assert.ok(machine);
    const link = RawLink.open(machine.path, "eth0");
    const agent = await first.agent(machine);
    stations.push({ name: `m${vlan}`, vlan, agent, addresses: machineOn(vlan), link });
  }
  return stations;
}

/** Reaches everybody of its own VLAN, under its own address, and nobody of another's. */
async function surprises(from: Station, stations: readonly Station[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const to of stations) {
    for (const family of families) {
      if (to === from || to.addresses[family] === "" || from.addresses[family] === "") continue;
      const line = `${from.name} to ${to.name} over ${family}`;
      if (from.vlan !== to.vlan) {
        // A machine has no way to other subnets at all; the frames below are its tries.
        if ((await from.agent.unreached(to.addresses[family])) === undefined) found.push(`${line}: reached`);
        continue;
      }
      for (const protocol of ["tcp", "udp"] as const) {
        const seen = await from.agent.reach(to.addresses[family], protocol).catch(String);
        if (seen !== from.addresses[family]) found.push(`${line}: ${seen}`);
      }
    }
  }
  return found;
}

/** Broadcasts of both families from each station; gives who heard whose. */
async function broadcasts(stations: readonly Station[]): Promise<ReadonlySet<string>> {
  const heard = new Set<string>();
  const listen = () => {
    for (const { name, link } of stations)
      for (const label of labelsIn(link.heard())) heard.add(`${name} heard ${label}`);
  };
  listen();
  heard.clear();
  const route = { source: "0.0.0.0", target: "255.255.255.255" };
  const route6 = { source: "fe80::1", target: "ff02::1" };
  for (const { name, link } of stations) {
    const hop = { from: link.mac, to: broadcastMac };
    const say = (label: string) => udp(9, 9, labelled(label));
    // A sandbox with tags of its own: of every VLAN there is. A machine may say by a tag that it is on its own.
    for (const vlan of name.startsWith("m") ? [] : vlans)
      link.send(frame({ ...hop, vlan }, packet(route, say(`${name} as ${vlan}`))));
    link.send(frame(hop, packet(route, say(`${name} over ipv4`))));
    link.send(frame(hop, packet(route6, say(`${name} over ipv6`))));
  }
  const due = expected(stations);
  await until("all of a VLAN have heard its broadcasts", () => {
    listen();
    return due.every((line) => heard.has(line));
  });
  return heard;
}

function expected(stations: readonly Station[]): readonly string[] {
  return stations.flatMap((to) =>
    stations
      .filter((from) => from !== to && from.vlan === to.vlan)
      .flatMap((from) => families.map((family) => `${to.name} heard ${from.name} over ${family}`)),
  );
}

test("networks on the VLANs of a trunk are parts of those, and of nothing else", () =>
  withNetns(["m10", "m20", "m30"], (machines) =>
    withLan(async (lan) => {
      const stations = await settle(lan, machines);
      try {
        const found = await Promise.all(stations.map((from) => surprises(from, stations)));
        assert.deepEqual(found.flat(), []);
        const heard = await broadcasts(stations);
        assert.deepEqual([...heard].sort(), [...expected(stations)].sort());
      } finally {
        await Promise.all(stations.map(({ link }) => link.close()));
      }
      for (const { controller } of lan.hosts) {
        for (const sandbox of controller.sandboxes()) await sandbox.delete();
        for (const network of controller.networks()) await network.delete();
        await controller.idle();
      }
      for (const { netns } of lan.hosts) assert.deepEqual(linksIn(netns), ["lo", uplink]);
    }),
  ));
