import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ControllerEvent } from "../../src/cnm/index.ts";
import { addressPart } from "../../src/core/index.ts";
import { Controller, type Network } from "../../src/index.ts";
import { WireDriver } from "../cnm/wire-driver.ts";
import type { TestNetns } from "../netns-fixture.ts";
import { linkOf, RawLink } from "../packets/index.ts";
import { type TestHost, withHost } from "./test-host.ts";
import { until } from "./until.ts";
import { hasLinkLocal } from "./uplink.ts";

/** The network's bridge on the host, whose port is a wire to the machine outside. */
const bridge = "lan0";
const subnets = [{ subnet: "10.9.0.0/24" }, { subnet: "fd00:9::/64" }];

interface Scene {
  readonly host: TestHost;
  readonly controller: Controller;
  readonly network: Network;
  /** A machine that weft knows nothing of. */
  readonly machine: TestNetns;
  readonly events: readonly ControllerEvent[];
  /** Closes the controller and opens another. */
  restart(): Promise<void>;
}

/** A network on a wire with a machine at its other end. */
async function onWire(work: (scene: Scene) => Promise<void>, options = {}): Promise<void> {
  await withHost(
    async (host) => {
      const events: ControllerEvent[] = [];
      const open = () =>
        Controller.open({
          ...host.options,
          extraDrivers: [new WireDriver()],
          onEvent: (event) => events.push(event),
        });
      let controller = await open();
      const restart = async () => {
        await controller.close();
        controller = await open();
      };
      try {
        const network = await controller.createNetwork("wire", "lan", {
          ipv6: true,
          options: { "com.docker.network.bridge.name": bridge, ...options },
          ipam: { subnets },
        });
        await addMachine(host);
        await work({ host, controller, network, machine: host.outside, events, restart });
      } finally {
        await controller.purge();
      }
    },
    { opened: false },
  );
}

async function addMachine({ netns, outside }: TestHost): Promise<void> {
  netns.exec("ip", "link", "add", "up0", "type", "veth", "peer", "name", "wire0", "netns", outside.path);
  netns.exec("ip", "link", "set", "up0", "master", bridge);
  for (const [where, link] of [
    [netns, "up0"],
    [outside, "wire0"],
  ] as const)
    where.exec("ip", "link", "set", link, "up");
  // Until its link-local address is in use, a machine answers no solicitation.
  await until("the machine is on the wire", () => hasLinkLocal(outside, "wire0"));
}

/** Gives the machine an address, as it would have had it for long. */
function hold(machine: TestNetns, address: string): void {
  const nodad = address.includes(":") ? ["nodad"] : [];
  machine.exec("ip", "address", "add", address, "dev", "wire0", ...nodad);
}

const addressesOf = (network: Network): readonly string[] =>
  network
    .endpoints()
    .flatMap((endpoint) => endpoint.record().addresses.map(({ address }) => addressPart(address)))
    .sort();

test("an address that a machine outside has is refused with who has it, and nothing is left", async () => {
  await onWire(async ({ controller, network, machine, events }) => {
    hold(machine, "10.9.0.50/24");
    hold(machine, "fd00:9::50/64");
    const { mac } = linkOf(machine.path, "wire0");
    const sandbox = await controller.createSandbox("c1");
    for (const asked of [{ ipv4Address: "10.9.0.50" }, { ipv6Address: "fd00:9::50" }]) {
      const [address] = Object.values(asked);
      await assert.rejects(sandbox.connect(network, asked), {
        code: "ADDRESS_CONFLICT",
        kind: "Conflict",
        message: new RegExp(`^address ${address} is held by ${mac} on ${bridge}:`),
        details: { address, mac, link: bridge },
      });
      assert.deepEqual(network.endpoints(), []);
    }
    // What was taken for the refused ones is free again: the same addresses are given out first.
    await sandbox.connect(network);
    assert.deepEqual(addressesOf(network), ["10.9.0.2", "fd00:9::2"]);
    const endpoint = await network.createEndpoint("later", { ipv4Address: "10.9.0.50" });
    const other = await controller.createSandbox("c2");
    await assert.rejects(endpoint.join(other), { code: "ADDRESS_CONFLICT" });
    assert.equal(endpoint.record().join, undefined);
    machine.exec("ip", "address", "del", "10.9.0.50/24", "dev", "wire0");
    await endpoint.join(other);
    // It may come back: what it has itself is no other's.
    await endpoint.leave();
    await endpoint.join(other);
    assert.deepEqual(events, []);
  });
});

test("addresses that nobody asked for are others where a machine has them, and it is told", async () => {
  await onWire(async ({ controller, network, machine, events }) => {
    for (let i = 2; i < 12; i++) hold(machine, `10.9.0.${i}/24`);
    hold(machine, "fd00:9::2/64");
    const { mac } = linkOf(machine.path, "wire0");
    const sandbox = await controller.createSandbox("c1", { endpoints: [{ network }] });
    assert.deepEqual(addressesOf(network), ["10.9.0.12", "fd00:9::3"]);
    const [event] = events;
    assert.ok(event?.event === "address-conflict" && events.length === 1);
    assert.equal(event.what, "endpoint c1 of network lan");
    assert.deepEqual(event.taken, ["10.9.0.12/24", "fd00:9::3/64"]);
    assert.equal(event.held.length, 11);
    assert.ok(event.held.every((one) => one.mac === mac));
    // Those that were passed over are not kept: they are given out once the machine has gone.
    await sandbox.delete();
    await controller.idle();
    machine.exec("ip", "link", "set", "wire0", "down");
    await controller.createSandbox("c2", { endpoints: [{ network }] });
    assert.deepEqual(addressesOf(network), ["10.9.0.2", "fd00:9::2"]);
  });
});

test("fifty sandboxes that join at once all have addresses of their own, and none that a machine has", async () => {
  await onWire(async ({ host, controller, network, machine }) => {
    for (let i = 10; i < 20; i++) hold(machine, `10.9.0.${i}/24`);
    const names = Array.from({ length: 50 }, (_, i) => `c${i}`);
    await Promise.all(names.map((name) => controller.createSandbox(name, { endpoints: [{ network }] })));
    const addresses = addressesOf(network);
    assert.equal(new Set(addresses).size, 100);
    for (let i = 10; i < 20; i++) assert.ok(!addresses.includes(`10.9.0.${i}`), `10.9.0.${i}`);
    await controller.idle();
    await until("no packet socket is left", () => {
      const text = host.netns.run(() => readFileSync("/proc/thread-self/net/packet", "utf8"));
      return text.trim().split("\n").length === 1;
    });
  });
});

test("nobody is asked by a plan, by a restart, nor where the network says so", async () => {
  const asked = async (machine: TestNetns, work: () => Promise<unknown>) => {
    const raw = RawLink.open(machine.path, "wire0");
    try {
      await work();
      return raw.heard().some((frame) => isProbe(frame, "0a090002"));
    } finally {
      await raw.close();
    }
  };
  await onWire(async ({ controller, network, machine, restart }) => {
    const { controller: twin, close } = await controller.twin();
    const planned = await asked(machine, () =>
      twin.createSandbox("c1", { endpoints: [{ network: twin.network("lan") }] }),
    );
    await close();
    assert.equal(planned, false);
    assert.equal(
      await asked(machine, () => controller.createSandbox("c1", { endpoints: [{ network }] })),
      true,
    );
    const restarted = await asked(machine, restart);
    assert.equal(restarted, false);
  });
  await onWire(
    async ({ controller, network, machine }) => {
      hold(machine, "10.9.0.2/24");
      const join = () => controller.createSandbox("c1", { endpoints: [{ network }] });
      assert.equal(await asked(machine, join), false);
      assert.deepEqual(addressesOf(network), ["10.9.0.2", "fd00:9::2"]);
    },
    { "weft.conflict_probe": "false" },
  );
});

/** Whether a frame is an ARP probe for the address, given in hexadecimal. */
function isProbe(frame: Buffer, address: string): boolean {
  return (
    frame.toString("hex", 12, 14) === "0806" &&
    frame.toString("hex", 28, 42) === `00000000000000000000${address}`
  );
}

test("who gives up while others are asked leaves nothing, and the network can go", async () => {
  await onWire(async ({ controller, network }) => {
    const sandbox = await controller.createSandbox("c1");
    const giveUp = new AbortController();
    const joining = sandbox.connect(network, { signal: giveUp.signal });
    const refused = assert.rejects(joining, { code: "ABORTED" });
    // The address is reserved, and its name taken, while others are asked.
    await assert.rejects(network.delete(), { code: "NETWORK_HAS_ENDPOINTS" });
    giveUp.abort(new Error("enough"));
    await refused;
    await sandbox.connect(network);
    assert.deepEqual(addressesOf(network), ["10.9.0.2", "fd00:9::2"]);
    await sandbox.delete();
    await network.delete();
  });
});

test("a sandbox that is deleted while others are asked has no endpoint afterwards", async () => {
  await onWire(async ({ controller, network }) => {
    const sandbox = await controller.createSandbox("c1");
    const refused = assert.rejects(sandbox.connect(network), { code: "SANDBOX_NOT_FOUND" });
    await sandbox.delete();
    await refused;
    assert.deepEqual(network.endpoints(), []);
    await network.delete();
  });
});
