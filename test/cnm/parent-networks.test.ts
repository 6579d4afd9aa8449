import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError, parseAddress, parseMac } from "../../src/core/index.ts";
import type { KernelObject } from "../../src/kernel/index.ts";
import { KernelError } from "../../src/kernel/index.ts";
import { tablesOf } from "./tables-text.ts";
import { TwinFacts } from "./twin-host.ts";
import { onBoth, type World, withTwin } from "./world.ts";

const hostObjects = (world: World, isWanted: (object: KernelObject) => boolean) =>
  world.twin.all().flatMap(({ object }) => (isWanted(object) ? [object] : []));

test("of two drivers that want one link at the same time, one gets it", () =>
  withTwin(async (world) => {
    const { controller, hand } = world;
    hand.addUplink("eth0");
    const options = { parent: "eth0" };
    const outcomes = await Promise.allSettled([
      controller.createNetwork("macvlan", "n1", { options }),
      controller.createNetwork("ipvlan", "n2", { options }),
      controller.createNetwork("macvlan", "n3", { options: { ...options, macvlan_mode: "passthru" } }),
    ]);
    const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    assert.equal(refused.length, 2);
    for (const reason of refused) assert.ok(isWeftError(reason, "PARENT_IN_USE"), String(reason));
    await world.settle();
    assert.equal(controller.networks().length, 1);
  }));

test("networks that come and go at the same time share one VLAN sub-interface to the last", () =>
  withTwin(async (world) => {
    const { controller, hand } = world;
    hand.addUplink("eth0");
    const before = await tablesOf(world);
    const vlans = () =>
      hostObjects(world, ({ kind, ...rest }) => kind === "link" && "name" in rest && rest.name === "eth0.10");
    for (let round = 0; round < 5; round++) {
      const names = Array.from({ length: 5 }, (_, i) => `n${round}-${i}`);
      await Promise.all(
        names.map((name) => controller.createNetwork("macvlan", name, { options: { parent: "eth0.10" } })),
      );
      assert.equal(vlans().length, 1);
      const last = names.pop() ?? "";
      await Promise.all(names.map((name) => controller.network(name).delete()));
      await world.settle();
      assert.equal(vlans().length, 1, "one has it still");
      // The next round begins while this one's is on its way out.
      await controller.network(last).delete();
    }
    await world.settle();
    assert.deepEqual(await tablesOf(world), before);
    assert.deepEqual(world.events, []);
  }));

test("a person's VLAN sub-interface that is gone is not made for another network while one waits for it", () =>
  withTwin(async (world) => {
    const { controller, hand } = world;
    hand.addUplink("eth0");
    hand.addVlan("eth0.10", "eth0", 10);
    const options = { parent: "eth0.10" };
    const first = await controller.createNetwork("macvlan", "n1", { options });
    hand.deleteLink("eth0.10");
    for (const driver of ["macvlan", "ipvlan"])
      await assert.rejects(
        () => controller.createNetwork(driver, "n2", { options }),
        (error) => isWeftError(error, "PARENT_MISSING") && /waited for by network n1: /.test(error.message),
      );
    // Nobody waits for what goes on in the background but who needs it.
    await first.delete();
    await controller.createNetwork("ipvlan", "n2", { options });
    assert.deepEqual(await controller.drift(), []);
  }));

onBoth("a parent is free for another use as soon as its network is gone", async (world) => {
  const { controller, hand } = world;
  hand.addUplink("eth0");
  for (const mode of ["bridge", "passthru", "vepa", "passthru"]) {
    const options = { parent: "eth0", macvlan_mode: mode };
    const network = await controller.createNetwork("macvlan", "net", { options });
    const box = await controller.createSandbox("box");
    await box.connect(network);
    // Nobody waits for what goes on in the background but who needs it.
    await box.delete();
    await network.delete();
  }
  await world.settle();
  assert.deepEqual(await controller.drift(), []);
});

onBoth("a passthru network's one endpoint may be replaced, without a wait by the caller", async (world) => {
  const { controller, hand } = world;
  hand.addUplink("eth0");
  const options = { parent: "eth0", macvlan_mode: "passthru" };
  const network = await controller.createNetwork("macvlan", "net", { options });
  const box = await controller.createSandbox("box");
  for (let round = 0; round < 5; round++) {
    await box.connect(network, { name: "only" });
    await assert.rejects(
      () => network.createEndpoint("second"),
      (error) => isWeftError(error, "NETWORK_FULL") && error.message.endsWith("which is 1: only"),
    );
    assert.equal((await network.endpoint("only").info()).macAddress, undefined);
    await network.endpoint("only").delete({ force: true });
  }
  await world.settle();
  assert.deepEqual(await controller.drift(), []);
});

test("a VLAN sub-interface that the kernel refuses leaves nothing of its network", () =>
  withTwin(async (world) => {
    world.hand.addUplink("eth0");
    const before = await tablesOf(world);
    for (const kind of ["link", "up", "sysctl"] as const) {
      world.twin.onOperation = ({ op, object }) =>
        op === "create" && object.kind === kind && JSON.stringify(object).includes("eth0.10")
          ? new KernelError({ errno: 16, call: "create", object: "eth0.10" })
          : undefined;
      await assert.rejects(
        () => world.controller.createNetwork("macvlan", "n1", { options: { parent: "eth0.10" } }),
        /EBUSY/,
      );
      world.twin.onOperation = () => undefined;
      await world.settle();
      assert.deepEqual(await tablesOf(world), before, kind);
    }
  }));

onBoth("a network on a parent can be tried out, and nothing of it is made", async (world) => {
  const { controller, hand } = world;
  hand.addUplink("eth0");
  const before = await tablesOf(world);
  const twin = await controller.twin();
  try {
    const network = await twin.controller.createNetwork("macvlan", "n1", { options: { parent: "eth0" } });
    const box = await twin.controller.createSandbox("c1");
    await box.connect(network);
    const steps = twin.steps().map(({ step, object }) => `${step} ${object.kind}`);
    assert.ok(steps.includes("create link"), steps.join());
    await assert.rejects(
      () =>
        twin.controller.createNetwork("macvlan", "n2", {
          options: { parent: "eth0", macvlan_mode: "passthru" },
        }),
      (error) => isWeftError(error, "PARENT_IN_USE"),
    );
  } finally {
    await twin.close();
  }
  assert.deepEqual(await tablesOf(world), before);
});

onBoth("a parent with the host's own addresses is taken by no network whole", async (world) => {
  const { controller, hand } = world;
  hand.addUplink("eth0");
  const options = { parent: "eth0", macvlan_mode: "passthru" };
  const refusal = (error: unknown) => isWeftError(error, "PARENT_HAS_ADDRESSES");
  const network = await controller.createNetwork("macvlan", "net", { options });
  hand.addAddress("eth0", "192.0.2.5/24");
  const box = await controller.createSandbox("box");
  await assert.rejects(() => box.connect(network), refusal);
  assert.equal(network.joined, false);
  await network.delete();
  await assert.rejects(() => controller.createNetwork("macvlan", "net", { options }), refusal);
  const shared = await controller.createNetwork("macvlan", "net", { options: { parent: "eth0" } });
  await box.connect(shared);
  assert.equal(shared.joined, true);
});

test("an address that somebody claims after it was asked for, and before it is up, is refused and given back", () =>
  withTwin(async (world) => {
    const { controller, hand } = world;
    const { facts } = world.bare;
    assert.ok(facts instanceof TwinFacts);
    hand.addUplink("eth0");
    const ipam = { subnets: [{ subnet: "192.168.57.0/24" }] };
    const network = await controller.createNetwork("macvlan", "net", { options: { parent: "eth0" }, ipam });
    const box = await controller.createSandbox("box");
    const before = await tablesOf(world);
    facts.claimed.set(parseAddress("192.168.57.1"), parseMac("02:00:00:00:00:99"));
    const refusal = (error: unknown) =>
      isWeftError(error, "ADDRESS_CONFLICT") &&
      error.message.startsWith("address 192.168.57.1 is held by 02:00:00:00:00:99 on eth0");
    await assert.rejects(() => box.connect(network), refusal);
    assert.deepEqual(await tablesOf(world), before);
    const endpoint = await network.createEndpoint("e1", { ipv4Address: parseAddress("192.168.57.9") });
    facts.claimed.set(parseAddress("192.168.57.9"), parseMac("02:00:00:00:00:99"));
    await assert.rejects(
      () => endpoint.join(box),
      (error) => isWeftError(error, "ADDRESS_CONFLICT"),
    );
    facts.claimed.clear();
    await endpoint.join(box);
    assert.equal(facts.guards, 0);
  }));

test("a host that is slow to look at answers tries as many addresses, and no host waits longer than it says", () =>
  withTwin(async (world) => {
    const { controller, hand, clock } = world;
    hand.addUplink("eth0");
    const { facts } = world.bare;
    assert.ok(facts instanceof TwinFacts);
    const ipam = { subnets: [{ subnet: "10.9.0.0/24" }] };
    const network = await controller.createNetwork("macvlan", "lan", { options: { parent: "eth0" }, ipam });
    const mac = parseMac("02:00:00:00:00:99");
    for (let i = 1; i <= 40; i++) facts.held.set(parseAddress(`10.9.0.${i}`), mac);
    const ask = facts.heldAddresses.bind(facts);
    let delayMs: (windowMs: number) => number = () => 0;
    const windows: number[] = [];
    facts.heldAddresses = (link, question) => {
      windows.push(question.windowMs);
      clock.pass(delayMs(question.windowMs));
      return ask(link, question);
    };
    const rows: readonly (readonly [typeof delayMs, first: number, last: number])[] = [
      [() => 0, 200, 200],
      [(windowMs) => windowMs, 200, 33],
      [() => 1000, 200, 33],
    ];
    for (const [delay, first, last] of rows) {
      delayMs = delay;
      windows.length = 0;
      const sandbox = await controller.createSandbox("c1", { endpoints: [{ network }] });
      const [endpoint] = sandbox.endpoints();
      assert.equal((await endpoint?.info())?.ipv4Address, "10.9.0.41/24");
      assert.equal(windows.length, 4);
      assert.deepEqual([windows[0], windows[3]], [first, last]);
      assert.ok(delay(1) > 1 || windows.reduce((sum, one) => sum + delay(one), 0) <= 300, windows.join());
      await sandbox.delete();
      await world.settle();
    }
  }));
