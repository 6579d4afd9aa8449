import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError } from "../../src/core/index.ts";
import { hostNetns, type KernelObject } from "../../src/kernel/index.ts";
import { onBoth, type World, withLinux, withTwin } from "./world.ts";

const parent = { parent: "eth0" };
const mtu = "com.docker.network.driver.mtu";
const bridge = "com.docker.network.bridge.name";
const port = "com.docker.network.bridge.parent";

/** What `disable_ipv6` is of a link; undefined where there is no IPv6 to turn off. */
async function disabled(world: World, netns: string, link: string): Promise<string | undefined> {
  const key = `net/ipv6/conf/${link}/disable_ipv6`;
  const asked: KernelObject = { kind: "sysctl", netns, key, value: "", link };
  const [found] = await world.bare.kernel.read({ namespaces: [], lookUp: [asked] });
  return found?.object.kind === "sysctl" ? found.object.value : undefined;
}

/** Nothing is amiss, and a repair, a restart and a crash find nothing to do. */
async function isRight(world: World): Promise<void> {
  assert.deepEqual(await world.controller.drift(), []);
  assert.deepEqual(await world.controller.repair(), []);
  await world.restart();
  await world.kill();
  assert.deepEqual(await world.controller.drift(), []);
  assert.deepEqual(world.events, []);
}

/** Lets a link's MTU shrink below what IPv6 needs and grow again, with all that is on it right each time. */
async function shrinkAndGrow(world: World, link: string, places: readonly (readonly [string, string])[]) {
  const all = () => Promise.all(places.map(([netns, name]) => disabled(world, netns, name)));
  for (const [size, expected] of [
    [1000, undefined],
    [1500, "1"],
    [1279, undefined],
    [1280, "1"],
  ] as const) {
    world.hand.setMtu(link, size);
    await world.controller.drift();
    assert.deepEqual(await world.controller.repair(), [], `with ${size} bytes`);
    assert.deepEqual(await world.controller.drift(), [], `with ${size} bytes`);
    assert.deepEqual(
      await all(),
      places.map(() => expected),
      `with ${size} bytes`,
    );
  }
}

for (const [what, driver, options, below] of [
  ["a macvlan network", "macvlan", { ...parent, [mtu]: "1000" }, 1500],
  ["a macvlan network on such a parent", "macvlan", parent, 1000],
  ["a bridge network", "bridge", { [mtu]: "68" }, 1500],
  ["a bridge network on such a parent", "bridge", { [port]: "eth0" }, 1000],
] as const)
  onBoth(`${what} without IPv6 may have an MTU that is too small for it`, async (world) => {
    const { controller, hand } = world;
    hand.addUplink("eth0");
    hand.setMtu("eth0", below);
    const network = await controller.createNetwork(driver, "n1", { options });
    const box = await controller.createSandbox("c1");
    await box.connect(network);
    assert.equal(await disabled(world, box.key, "eth0"), undefined);
    await isRight(world);
    const again = world.controller.network("n1");
    await world.controller.sandbox("c1").delete();
    const second = await world.controller.createSandbox("c2");
    await second.connect(again);
    await second.delete();
    await again.delete();
    await world.settle();
    assert.deepEqual(world.events, []);
  });

test("a network of a dummy and one on a VLAN may have it too", () =>
  withTwin(async (world) => {
    const { controller, hand } = world;
    hand.addUplink("eth0");
    hand.setMtu("eth0", 1000);
    for (const options of [{ [mtu]: "1000" }, { parent: "eth0.10" }]) {
      const network = await controller.createNetwork("ipvlan", `n${Object.keys(options)[0]}`, { options });
      const box = await controller.createSandbox(network.name);
      await box.connect(network);
    }
    await isRight(world);
  }));

onBoth("a network without IPv6 follows its parent's MTU below 1280 and back", async (world) => {
  const { controller, hand } = world;
  hand.addUplink("eth0");
  const network = await controller.createNetwork("macvlan", "n1", { options: parent });
  const box = await controller.createSandbox("c1");
  await box.connect(network, { interfaceName: "one" });
  await shrinkAndGrow(world, "eth0", [[box.key, "one"]]);
});

onBoth("so does a bridge network, its bridge and its sandboxes", async (world) => {
  const { controller, hand } = world;
  hand.addUplink("eth0");
  const options = { [port]: "eth0", [bridge]: "br0" };
  const network = await controller.createNetwork("bridge", "n1", { options });
  const box = await controller.createSandbox("c1");
  await box.connect(network, { interfaceName: "one" });
  await shrinkAndGrow(world, "eth0", [
    [box.key, "one"],
    [hostNetns, "br0"],
  ]);
});

test("so does a VLAN sub-interface of weft's", () =>
  withTwin(async (world) => {
    world.hand.addUplink("eth0");
    const network = await world.controller.createNetwork("macvlan", "n1", { options: { parent: "eth0.10" } });
    const box = await world.controller.createSandbox("c1");
    await box.connect(network, { interfaceName: "one" });
    await shrinkAndGrow(world, "eth0", [
      [box.key, "one"],
      [hostNetns, "eth0.10"],
    ]);
  }));

onBoth("a bridge of a person's own may have any MTU on a network without IPv6", async (world) => {
  const { controller, hand } = world;
  hand.addBridge("br0");
  hand.setMtu("br0", 1000);
  const network = await controller.createNetwork("bridge", "n1", { options: { [bridge]: "br0" } });
  const box = await controller.createSandbox("c1");
  await box.connect(network);
  await isRight(world);
  await shrinkAndGrow(world, "br0", [[hostNetns, "br0"]]);
  hand.setMtu("br0", 1000);
  await world.controller.sandbox("c1").delete();
  await world.controller.network("n1").delete();
  await world.settle();
  hand.setMtu("br0", 1500);
  assert.equal(await disabled(world, hostNetns, "br0"), "0", "as it was");
  assert.deepEqual(world.events, []);
});

onBoth("a bridge that takes the MTU of its ports may take one that is too small for IPv6", async (world) => {
  await world.controller.createNetwork("bridge", "n1", { options: { [bridge]: "br0" } });
  await shrinkAndGrow(world, "br0", [[hostNetns, "br0"]]);
});

test("a host's way out may have an MTU too small for the IPv6 that was on it", () =>
  withLinux(async (world) => {
    const { controller, hand } = world;
    hand.addUplink("eth0");
    hand.setSysctl("net/ipv6/conf/eth0/forwarding", "1");
    await controller.createNetwork("bridge", "n1", { ipv6: true });
    assert.deepEqual(await controller.drift(), []);
    for (const size of [1000, 1500, 1000]) {
      hand.setMtu("eth0", size);
      await controller.drift();
      assert.deepEqual(await controller.repair(), [], `with ${size} bytes`);
      assert.deepEqual(await controller.drift(), [], `with ${size} bytes`);
    }
  }));

for (const [driver, options] of [
  ["macvlan", parent],
  ["bridge", { [port]: "eth0" }],
] as const)
  onBoth(
    `nobody joins a ${driver} network with IPv6 whose parent's MTU has become too small`,
    async (world) => {
      const { controller, hand } = world;
      hand.addUplink("eth0");
      const network = await controller.createNetwork(driver, "n1", { ipv6: true, options });
      const endpoint = await network.createEndpoint("e1");
      const box = await controller.createSandbox("c1");
      hand.setMtu("eth0", 1000);
      const refusal = (error: unknown) =>
        isWeftError(error, "INVALID_OPTION") &&
        error.message === "parent interface eth0 has an MTU of 1000: IPv6 needs 1280 at least";
      await assert.rejects(() => endpoint.join(box), refusal);
      await assert.rejects(() => box.connect(network), refusal);
      await assert.rejects(() => controller.createNetwork(driver, "n2", { ipv6: true, options }));
      hand.setMtu("eth0", 1500);
      await endpoint.join(box);
      assert.deepEqual(await controller.repair(), []);
      assert.deepEqual(await controller.drift(), []);
    },
  );

onBoth(
  "a person's bridge that is too small for IPv6 is refused to a network that is to have it",
  async (world) => {
    world.hand.addBridge("br0");
    world.hand.setMtu("br0", 1000);
    await assert.rejects(
      () => world.controller.createNetwork("bridge", "n1", { ipv6: true, options: { [bridge]: "br0" } }),
      (error) =>
        isWeftError(error, "INVALID_OPTION") &&
        error.message === "bridge br0 has an MTU of 1000: IPv6 needs 1280 at least",
    );
    const isolated = { [bridge]: "br0", "com.docker.network.bridge.gateway_mode_ipv6": "isolated" };
    const network = await world.controller.createNetwork("bridge", "n1", {
      ipv6: true,
      internal: true,
      options: isolated,
    });
    const box = await world.controller.createSandbox("c1");
    await box.connect(network);
    await isRight(world);
  },
);
