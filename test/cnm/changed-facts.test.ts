import assert from "node:assert/strict";
import { test } from "node:test";
import type { ParentAnswer } from "../../src/drivers/index.ts";
import { hostNetns, type KernelObject } from "../../src/kernel/index.ts";
import { TwinFacts } from "./twin-host.ts";
import { onBoth, type World, withTwin } from "./world.ts";

const parent = { parent: "eth0" };
const vlan = { parent: "eth0.10" };

function factsOf(world: World): TwinFacts {
  const { facts } = world.bare;
  assert.ok(facts instanceof TwinFacts);
  return facts;
}

/** Tells that others changed a link, and lets it be worked off. */
async function hear(world: World, ...links: readonly string[]): Promise<void> {
  factsOf(world).changeHost({ change: "other links", links });
  world.clock.wakeAll();
  await world.settle();
  for (let turn = 0; turn < 20; turn++) await nextTurn();
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

const mtuOf = (world: World, network: string): number | undefined =>
  world.controller.network(network).status().parent?.mtu;

/** The MTU of every link that is weft's, by its name. */
async function mtus(world: World): Promise<Readonly<Record<string, number | undefined>>> {
  const namespaces = [hostNetns, ...world.controller.sandboxes().map(({ key }) => key)];
  const found = await world.bare.kernel.read({ namespaces, lookUp: [] });
  const own = found.flatMap(({ object, marked }) => (marked && object.kind === "link" ? [object] : []));
  return Object.fromEntries(own.map(({ name, mtu }) => [name, mtu]));
}

/** Two networks of two drivers on one VLAN sub-interface, with a sandbox on both. */
async function onVlan(world: World): Promise<void> {
  const { controller, hand } = world;
  hand.addUplink("eth0");
  const one = await controller.createNetwork("macvlan", "n1", { options: vlan });
  const two = await controller.createNetwork("macvlan", "n2", { options: { ...vlan, macvlan_mode: "vepa" } });
  const box = await controller.createSandbox("c1");
  await box.connect(one, { interfaceName: "one" });
  await box.connect(two, { interfaceName: "two" });
}

test("a parent's new MTU is recorded, and given to all that is built on it", () =>
  withTwin(
    async (world) => {
      await onVlan(world);
      assert.deepEqual(await mtus(world), { "eth0.10": 1500, one: 1500, two: 1500 });
      for (const mtu of [9000, 1400]) {
        world.hand.setMtu("eth0", mtu);
        await hear(world, "eth0");
        assert.deepEqual([mtuOf(world, "n1"), mtuOf(world, "n2")], [mtu, mtu]);
        assert.deepEqual(await mtus(world), { "eth0.10": mtu, one: mtu, two: mtu });
        assert.deepEqual(await world.controller.drift(), []);
      }
      // What Linux takes by itself was no repair.
      assert.equal(world.controller.repairs.repairs, 1);
      await world.restart();
      assert.deepEqual(await mtus(world), { "eth0.10": 1400, one: 1400, two: 1400 });
    },
    { selfRepair: true },
  ));

test("links that nothing is built on may change as they like", () =>
  withTwin(
    async (world) => {
      await onVlan(world);
      world.hand.addUplink("other");
      const before = world.clock.sleeps.length;
      await hear(world, "other", "eth1");
      assert.equal(world.clock.sleeps.length, before, "nobody looked");
    },
    { selfRepair: true },
  ));

test("a parent that comes back gets all of it again, with the MTU that it has now", () =>
  withTwin(
    async (world) => {
      await onVlan(world);
      world.hand.deleteLink("eth0");
      await hear(world, "eth0");
      const [event] = world.events.splice(0);
      assert.ok(event?.event === "repaired" && event.failures.length > 0, "it is told that it cannot be");
      const [first] = await world.controller.drift();
      assert.ok(first?.drift === "interface gone");
      assert.deepEqual([first.identity, first.networks], ["link host eth0", ["n1", "n2"]]);
      assert.equal(world.controller.networks().length, 2, "networks stay");
      world.hand.addUplink("eth0");
      world.hand.setMtu("eth0", 1300);
      await hear(world, "eth0");
      assert.deepEqual(await mtus(world), { "eth0.10": 1300, one: 1300, two: 1300 });
      assert.deepEqual(await world.controller.drift(), []);
    },
    { selfRepair: true },
  ));

test("a network that comes while the MTU is no longer what was recorded wants what the others want", () =>
  withTwin(async (world) => {
    await onVlan(world);
    world.hand.setMtu("eth0", 2000);
    const created = world.controller.createNetwork("macvlan", "n3", { options: vlan });
    const [drifts] = await Promise.all([world.controller.drift(), created]);
    assert.ok(drifts.some(({ drift }) => drift === "changed"));
    assert.deepEqual(await world.controller.repair(), []);
    assert.deepEqual(
      ["n1", "n2", "n3"].map((name) => mtuOf(world, name)),
      [2000, 2000, 2000],
    );
    assert.deepEqual(await mtus(world), { "eth0.10": 2000, one: 2000, two: 2000 });
  }));

test("drift and joins side by side agree about the MTU", () =>
  withTwin(async (world) => {
    await onVlan(world);
    const network = world.controller.network("n1");
    for (let round = 0; round < 10; round++) {
      world.hand.setMtu("eth0", 3000 + round);
      const box = await world.controller.createSandbox(`x${round}`);
      await Promise.all([world.controller.drift(), box.connect(network), world.controller.drift()]);
    }
    assert.deepEqual(await world.controller.repair(), []);
    assert.deepEqual(await world.controller.drift(), []);
    assert.equal((await mtus(world)).eth0, 3009);
  }));

test("a network on its way out does not hold a join to the MTU that was", () =>
  withTwin(async ({ controller, hand, twin }) => {
    hand.addUplink("eth0");
    const going = await controller.createNetwork("macvlan", "n1", { options: vlan });
    const network = await controller.createNetwork("macvlan", "n2", { options: vlan });
    const box = await controller.createSandbox("c1");
    hand.setMtu("eth0", 9000);
    // The kernel is busy, so that what the network had is still wanted when it is as good as gone.
    const apply = twin.apply.bind(twin);
    let free = () => {};
    const busy = new Promise<void>((resolve) => {
      free = resolve;
    });
    const begun = new Promise<void>((resolve) => {
      twin.apply = async (operations) => {
        resolve();
        await busy;
        return apply(operations);
      };
    });
    const other = controller.createSandbox("c2");
    await begun;
    const deletion = going.delete();
    while (controller.networks().length > 1) await nextTurn();
    const join = box.connect(network);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    free();
    await Promise.all([join, deletion, other]);
    assert.deepEqual(await controller.repair(), []);
    assert.deepEqual(await controller.drift(), []);
  }));

test("facts that cannot be read at a start are told, and nothing else suffers", () =>
  withTwin(async (world) => {
    await onVlan(world);
    const facts = factsOf(world);
    const link = facts.link.bind(facts);
    facts.link = () => {
      throw new Error("no answer");
    };
    await world.restart();
    const [event, ...more] = world.events.splice(0);
    assert.ok(event?.event === "restore-failed" && more.length === 0);
    assert.match(String(event.error), /no answer/);
    facts.link = link;
    assert.deepEqual(await world.controller.drift(), []);
  }));

test("a VLAN of a link that was called by another name of its own is as any other", () =>
  withTwin(
    async (world) => {
      const { controller, hand } = world;
      hand.addUplink("eth0");
      factsOf(world).altnames.set("enp0s8", "eth0");
      const options = { parent: "enp0s8.10" };
      const network = await controller.createNetwork("macvlan", "n1", { options });
      await (await controller.createSandbox("c1")).connect(network, { interfaceName: "one" });
      assert.deepEqual(await controller.drift(), []);
      hand.setMtu("eth0", 9000);
      await hear(world, "eth0");
      assert.deepEqual(await mtus(world), { "enp0s8.10": 9000, one: 9000 });
      assert.deepEqual(await controller.drift(), []);
      await controller.createNetwork("macvlan", "n2", { options });
      await assert.rejects(() => controller.createNetwork("macvlan", "n3", { options: vlan }), {
        code: "PARENT_IN_USE",
        message: "VLAN 10 of eth0 is interface enp0s8.10 already: name that as parent",
      });
      await removeAll(world);
      await controller.createNetwork("macvlan", "n3", { options: vlan });
      assert.deepEqual(await mtus(world), { "eth0.10": 9000 });
    },
    { selfRepair: true },
  ));

/** A sub-interface that a person made, as it has to stay. */
function assertPersons(world: World, name: string): void {
  const there = world.twin
    .all()
    .filter(({ object }) => "netns" in object && object.netns === hostNetns)
    .flatMap(({ object }) =>
      (object.kind === "link" && object.name === name) || ("link" in object && object.link === name)
        ? [object.kind]
        : [],
    );
  assert.deepEqual(there.sort(), ["address", "link", "up"]);
}

/** A person's own VLAN takes the name of weft's. */
function takeOver({ hand }: World, id: number): void {
  hand.deleteLink("eth0.10");
  hand.addVlan("eth0.10", "eth0", id);
  hand.addAddress("eth0.10", "192.0.2.5/24");
}

/** Removes all that weft was asked for. */
async function removeAll(world: World): Promise<void> {
  for (const sandbox of world.controller.sandboxes()) await sandbox.delete();
  for (const network of world.controller.networks()) await network.delete();
  await world.settle();
}

test("a VLAN sub-interface of a person's that takes the place of weft's is used from then on, and left alone", () =>
  withTwin(async (world) => {
    await onVlan(world);
    await world.kill(() => takeOver(world, 10));
    assert.deepEqual(world.events, []);
    assert.deepEqual(await world.controller.drift(), []);
    assert.deepEqual(await mtus(world), { one: 1500, two: 1500 });
    for (const name of ["n1", "n2"])
      assert.equal(world.controller.network(name).status().parent?.origin, "adopted");
    const box = await world.controller.createSandbox("c2");
    await box.connect(world.controller.network("n1"), { interfaceName: "three" });
    assert.deepEqual(await mtus(world), { one: 1500, two: 1500, three: 1500 });
    await removeAll(world);
    assertPersons(world, "eth0.10");
  }));

test("one that takes that place while weft runs is found as soon as it is heard of", () =>
  withTwin(
    async (world) => {
      await onVlan(world);
      takeOver(world, 10);
      await hear(world, "eth0.10");
      assert.deepEqual(await mtus(world), { one: 1500, two: 1500 });
      assert.deepEqual(await world.controller.drift(), []);
      await removeAll(world);
      assertPersons(world, "eth0.10");
    },
    { selfRepair: true },
  ));

test("one that leads elsewhere is told, nothing is put on it, and weft's comes back when it has gone", () =>
  withTwin(async (world) => {
    await onVlan(world);
    await world.kill(() => takeOver(world, 20));
    const failed = world.events.splice(0);
    assert.deepEqual(
      failed.map((event) => (event.event === "restore-failed" ? event.what : event.event)),
      ["link host eth0.10"],
    );
    assert.deepEqual(await mtus(world), {});
    const refusal = {
      code: "PARENT_MISSING",
      message:
        "parent interface eth0.10 is not there any more: an interface of somebody else's that is not VLAN 10 of eth0 " +
        "has its name: remove that one or give it another name, and weft makes its own again",
    };
    const box = await world.controller.createSandbox("c2");
    await assert.rejects(() => box.connect(world.controller.network("n1")), refusal);
    await assert.rejects(() => world.controller.createNetwork("macvlan", "n3", { options: vlan }), refusal);
    assertPersons(world, "eth0.10");
    world.hand.deleteLink("eth0.10");
    assert.deepEqual(await world.controller.repair(), []);
    assert.deepEqual(await mtus(world), { "eth0.10": 1500, one: 1500, two: 1500 });
    await world.kill(() => takeOver(world, 20));
    world.events.splice(0);
    await removeAll(world);
    assertPersons(world, "eth0.10");
  }));

onBoth("a bridge of a person's that takes the place of weft's keeps what it has", async (world) => {
  const { hand } = world;
  const network = await world.controller.createNetwork("bridge", "n1", {
    options: { "com.docker.network.bridge.name": "brnet" },
    ipam: { subnets: [{ subnet: "192.0.2.0/24", gateway: "192.0.2.1" }] },
  });
  await (await world.controller.createSandbox("c1")).connect(network);
  await world.kill(() => {
    hand.deleteLink("brnet");
    hand.addBridge("brnet");
    hand.addAddress("brnet", "192.0.2.1/24");
    hand.bringUp("brnet");
  });
  const failed = world.events.splice(0);
  assert.deepEqual(
    failed.map((event) => (event.event === "restore-failed" ? event.what : event.event)),
    ["link host brnet"],
  );
  await removeAll(world);
  const found = await world.bare.kernel.read({ namespaces: [hostNetns], lookUp: [] });
  const kept = found.flatMap(({ object }) =>
    (object.kind === "link" && object.name === "brnet") ||
    (object.kind === "up" && object.link === "brnet") ||
    (object.kind === "address" && object.link === "brnet" && object.address === "192.0.2.1/24")
      ? [object.kind]
      : [],
  );
  assert.deepEqual(kept.sort(), ["address", "link", "up"]);
});

onBoth("an MTU that changed while nobody looked is followed by the next start", async (world) => {
  world.hand.addUplink("eth0");
  const network = await world.controller.createNetwork("macvlan", "n1", { options: parent });
  const box = await world.controller.createSandbox("c1");
  await box.connect(network);
  await world.kill(() => world.hand.setMtu("eth0", 2000));
  assert.deepEqual(await mtus(world), { eth0: 2000 });
  assert.deepEqual(await world.controller.drift(), []);
  const record: { parent?: ParentAnswer } = world.controller.network("n1").info().answer ?? {};
  assert.equal(record.parent?.mtu, 2000);
});

onBoth("a parent that is gone at a start is waited for", async (world) => {
  world.hand.addUplink("eth0");
  const network = await world.controller.createNetwork("macvlan", "n1", { options: parent });
  const box = await world.controller.createSandbox("c1");
  await box.connect(network);
  await world.kill(() => world.hand.deleteLink("eth0"));
  const failed = world.events.splice(0);
  assert.deepEqual(
    failed.map((event) => (event.event === "restore-failed" ? event.what : event.event)),
    ["link host eth0"],
  );
  world.hand.addUplink("eth0");
  assert.deepEqual(await world.controller.repair(), []);
  assert.deepEqual(await world.controller.drift(), []);
});

onBoth("an IPv6 address that an MTU below 1280 took away comes back with a larger one", async (world) => {
  world.hand.addUplink("eth0");
  const network = await world.controller.createNetwork("macvlan", "n1", { ipv6: true, options: parent });
  const box = await world.controller.createSandbox("c1");
  await box.connect(network);
  const addresses = async () => {
    const found = await world.bare.kernel.read({ namespaces: [box.key], lookUp: [] });
    return found.flatMap(({ object, marked }): KernelObject[] =>
      marked && object.kind === "address" ? [object] : [],
    ).length;
  };
  assert.equal(await addresses(), 2);
  world.hand.setMtu("eth0", 1000);
  await world.controller.drift();
  world.hand.setMtu("eth0", 1500);
  assert.deepEqual(await world.controller.repair(), []);
  assert.deepEqual(await world.controller.drift(), []);
  assert.equal(await addresses(), 2);
});

onBoth(
  "a parent that was given another name keeps what is on it, and what waits for the name is told",
  async (world) => {
    const { controller, hand } = world;
    hand.addUplink("eth0");
    const network = await controller.createNetwork("macvlan", "n1", { options: parent });
    const box = await controller.createSandbox("c1");
    await box.connect(network);
    const inBox = async () => {
      const found = await world.bare.kernel.read({ namespaces: [hostNetns, box.key], lookUp: [] });
      const links = found.flatMap(({ object }) =>
        object.kind === "link" && object.netns === box.key && object.name === "eth0" ? [object] : [],
      );
      return {
        links,
        count: found.filter(({ object }) => "netns" in object && object.netns === box.key).length,
      };
    };
    const before = await inBox();
    hand.renameLink("eth0", "lan0");
    const waits = (await controller.drift()).map(({ drift, identity }) => [drift, identity]);
    const macvlan = `link ${box.key} eth0`;
    assert.deepEqual(waits, [
      ["interface gone", "link host eth0"],
      ["changed", macvlan],
    ]);
    const unmended = (await controller.repair()).map(({ what }) => what);
    assert.deepEqual(unmended, ["link host eth0", macvlan]);
    const after = await inBox();
    assert.equal(after.count, before.count);
    assert.equal(after.links[0]?.mac, before.links[0]?.mac);
    await world.kill(() => {});
    world.events.splice(0);
    assert.equal((await inBox()).count, before.count);
    hand.renameLink("lan0", "eth0");
    assert.deepEqual(await world.controller.repair(), []);
    assert.deepEqual(await world.controller.drift(), []);
  },
);

test("what could not be put back for want of what it is on is not told as mended", () =>
  withTwin(
    async (world) => {
      await onVlan(world);
      world.hand.deleteLink("eth0");
      await hear(world, "eth0");
      const events = world.events.flatMap((event) => (event.event === "repaired" ? [event] : []));
      assert.deepEqual(
        events.flatMap(({ what }) => what),
        [],
      );
      assert.equal(world.controller.repairs.repairs, 0);
      const missing = new Set((await world.controller.drift()).map(({ identity }) => String(identity)));
      assert.ok(missing.size > 5);
      const unmended = (await world.controller.repair()).map(({ what }) => what);
      assert.deepEqual(new Set(unmended), missing);
      world.hand.addUplink("eth0");
      assert.deepEqual(await world.controller.repair(), []);
    },
    { selfRepair: true },
  ));

onBoth("who joins after a parent's MTU has shrunk has an interface of the new one", async (world) => {
  const { controller, hand } = world;
  hand.addUplink("eth0");
  const network = await controller.createNetwork("macvlan", "n1", { options: parent });
  const first = await controller.createSandbox("c1");
  await first.connect(network, { interfaceName: "one" });
  hand.setMtu("eth0", 1300);
  const second = await controller.createSandbox("c2");
  await second.connect(network, { interfaceName: "two" });
  hand.setMtu("eth0", 1290);
  const third = await controller.createSandbox("c3");
  await (await network.createEndpoint("e3")).join(third, { interfaceName: "three" });
  assert.deepEqual(await mtus(world), { one: 1290, two: 1290, three: 1290 });
  assert.deepEqual(await controller.drift(), []);
});

test("who joins on a VLAN sub-interface of another MTU than its parent has, has it made right", () =>
  withTwin(async (world) => {
    await onVlan(world);
    world.hand.setMtu("eth0", 1300);
    world.hand.setMtu("eth0", 1400); // the sub-interface stays at 1300, as it does on Linux
    const box = await world.controller.createSandbox("c2");
    await box.connect(world.controller.network("n1"), { interfaceName: "three" });
    const { three, "eth0.10": below } = await mtus(world);
    assert.deepEqual({ three, below }, { three: 1400, below: 1400 });
    assert.deepEqual(await world.controller.repair(), []);
    assert.deepEqual(await mtus(world), { "eth0.10": 1400, one: 1400, two: 1400, three: 1400 });
  }));
