import assert from "node:assert/strict";
import { test } from "node:test";
import {
  identityOf,
  MemoryKernel,
  netnsIdentityOf,
  type Operation,
  type Outcome,
} from "../../src/kernel/index.ts";
import { address, bridge, element, file, held, netns, sandbox, table, up, veth, wanted } from "./objects.ts";
import { assertThere, gate, newWorld, operations, refusal, refusing } from "./reconciler-fixture.ts";

/** A twin whose deletions of links wait until they are let through. */
class SlowKernel extends MemoryKernel {
  #gate = gate();
  readonly batches: string[][] = [];

  open(): void {
    this.#gate.open();
    this.#gate = gate();
  }

  override async apply(list: readonly Operation[]): Promise<readonly Outcome[]> {
    const slow = list.some(({ op, object }) => op === "delete" && object.kind === "link");
    if (slow) {
      this.batches.push(list.map(({ object }) => identityOf(object)));
      await this.#gate.opened;
    }
    return super.apply(list);
  }
}

const plan = wanted(
  netns(),
  bridge(),
  veth(),
  up("eth0", sandbox),
  file("hosts", ""),
  table(),
  element("br0"),
  held("dns", { within: [netnsIdentityOf(sandbox)] }),
);

test("traffic and what is held are withdrawn at once, and the rest goes in the background", async () => {
  const kernel = new SlowKernel();
  const world = newWorld(kernel);
  await world.reconciler.change(
    new Map([
      ["a", plan],
      ["b", wanted(table())],
    ]),
  );
  operations(world);
  const { removed } = await world.reconciler.takeDown(new Map([["a", []]]));
  assert.deepEqual(operations(world), [`delete ${identityOf(element("br0"))}`]);
  assert.deepEqual(world.things.log, ["acquire dns {}", "release dns {}"]);
  kernel.open();
  kernel.open();
  let gone = false;
  const waiting = removed.then(() => {
    gone = true;
  });
  while (!gone) {
    kernel.open();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await waiting;
  assertThere(world, table());
  assert.deepEqual(operations(world).length, 4);
});

test("what is wanted again while it is on its way out is made after it is gone", async () => {
  const kernel = new SlowKernel();
  const world = newWorld(kernel);
  await world.reconciler.change(new Map([["a", plan]]));
  await world.reconciler.takeDown(new Map([["a", []]]));
  let made = false;
  const again = world.reconciler.change(new Map([["b", plan]])).then(() => {
    made = true;
  });
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(made, false);
  kernel.open();
  await again;
  assertThere(world, ...plan.map(({ object }) => object).filter(({ kind }) => kind !== "held"));
});

test("what has nothing to do with what is on its way out does not wait for it", async () => {
  const kernel = new SlowKernel();
  const world = newWorld(kernel);
  await world.reconciler.change(new Map([["a", plan]]));
  const { removed } = await world.reconciler.takeDown(new Map([["a", []]]));
  await world.reconciler.change(new Map([["b", wanted(bridge("br1"), address("br1", "10.1.0.1/24"))]]));
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  kernel.open();
  await removed;
  assertThere(world, bridge("br1"), address("br1", "10.1.0.1/24"));
});

test("what is given up while a round is under way goes together into the next", async () => {
  const kernel = new SlowKernel();
  const world = newWorld(kernel);
  const names = ["br0", "br1", "br2"];
  await world.reconciler.change(new Map(names.map((name) => [name, wanted(bridge(name))])));
  const first = await world.reconciler.takeDown(new Map([["br0", []]]));
  while (kernel.batches.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const later = [
    await world.reconciler.takeDown(new Map([["br1", []]])),
    await world.reconciler.takeDown(new Map([["br2", []]])),
  ];
  kernel.open();
  await first.removed;
  while (kernel.batches.length === 1) await new Promise((resolve) => setImmediate(resolve));
  kernel.open();
  await Promise.all(later.map(({ removed }) => removed));
  assert.deepEqual(kernel.batches, [
    [identityOf(bridge("br0"))],
    ["br1", "br2"].map((name) => identityOf(bridge(name))),
  ]);
});

test("a take-down goes past failures and tells all of them", async () => {
  const world = newWorld();
  await world.reconciler.change(
    new Map([["a", wanted(bridge("br0"), bridge("br1"), table(), element("x"))]]),
  );
  const fails = new Set([identityOf(element("x")), identityOf(bridge("br0"))]);
  refusing(world, ({ op, object }) => op === "delete" && fails.has(identityOf(object)));
  const kept = wanted(table());
  const { removed } = await world.reconciler.takeDown(new Map([["a", kept]]));
  await assert.rejects(removed, ({ message, cause }: Error) => {
    assert.equal(message, "remove: test operation: EBUSY");
    assert.ok(cause instanceof AggregateError);
    assert.equal(cause.errors.length, fails.size);
    return true;
  });
  assertThere(world, table(), element("x"), bridge("br0"));
  assert.deepEqual(
    world.events.map(({ event }) => event),
    ["removal-failed"],
  );
});

test("a removal that fails is told as an event, whether or not somebody waits for it", async () => {
  const world = newWorld();
  await world.reconciler.change(new Map([["a", wanted(bridge())]]));
  refusing(world, ({ op }) => op === "delete");
  await world.reconciler.change(new Map([["a", []]])); // nobody looks at what it gives
  await world.reconciler.idle();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    world.events.map(({ event }) => event),
    ["removal-failed"],
  );
});

test("a kernel that breaks off fails one removal and lets the others go on", async () => {
  const world = newWorld();
  await world.reconciler.change(new Map([["a", wanted(bridge("br0"), bridge("br1"))]]));
  const apply = world.kernel.apply.bind(world.kernel);
  let calls = 0;
  world.kernel.apply = async (list) => {
    if (calls++ === 0) throw refusal(110);
    return apply(list);
  };
  const { removed } = await world.reconciler.takeDown(new Map([["a", []]]));
  await assert.rejects(removed, /ETIMEDOUT/);
  assertThere(world, bridge("br0"));
});

test("drift is looked for once nothing is on its way out", async () => {
  const kernel = new SlowKernel();
  const world = newWorld(kernel);
  await world.reconciler.change(new Map([["a", plan]]));
  await world.reconciler.takeDown(new Map([["a", []]]));
  const drift = world.reconciler.drift();
  while (kernel.batches.length === 0) await new Promise((resolve) => setImmediate(resolve));
  kernel.open();
  assert.deepEqual(await drift, []);
});
