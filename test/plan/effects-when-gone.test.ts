import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ForgetFlowsEffect,
  hostNetns,
  identityOf,
  type NftElementObject,
} from "../../src/kernel/index.ts";
import type { Changes, Wanted } from "../../src/plan/index.ts";
import { bridge, element, sysctl, table } from "./objects.ts";
import { newWorld, operations, refusing, type World } from "./reconciler-fixture.ts";

const forget = (originalPort: number): ForgetFlowsEffect => ({
  effect: "forget-flows",
  netns: hostNetns,
  family: 4,
  originalPort,
});
const portOf = (port: number): Wanted => ({ object: element(`p${port}`), effectsWhenGone: [forget(port)] });
const give = (owner: string, ...wanted: readonly Wanted[]): Changes => new Map([[owner, wanted]]);
const owned = (...ports: readonly number[]) => give("a", { object: table() }, ...ports.map(portOf));

/** Ports whose flows were forgotten since the last call. */
const forgotten = ({ kernel }: World) =>
  kernel.effects.splice(0).map((effect) => (effect.effect === "forget-flows" ? effect.originalPort : 0));

for (const how of ["change", "takeDown"] as const) {
  test(`${how}: what is gone has its effects, once, and what stays has none`, async () => {
    const world = newWorld();
    await world.reconciler.change(owned(1, 2, 3));
    assert.deepEqual(forgotten(world), []);
    await world.reconciler[how](owned(1));
    assert.deepEqual(forgotten(world), [2, 3]);
    await world.reconciler[how](owned(1));
    assert.deepEqual(forgotten(world), []);
  });

  test(`${how}: what goes along with its table has its effects`, async () => {
    const world = newWorld();
    await world.reconciler.change(owned(1, 2));
    operations(world);
    const { removed } = await world.reconciler[how](give("a"));
    await removed;
    assert.deepEqual(operations(world), [`delete ${identityOf(table())}`]);
    assert.deepEqual(forgotten(world), [1, 2]);
  });
}

test("what another owner still wants is not gone", async () => {
  const world = newWorld();
  await world.reconciler.change(owned(1));
  await world.reconciler.change(give("b", portOf(1)));
  await world.reconciler.takeDown(give("b"));
  assert.deepEqual(forgotten(world), []);
  await world.reconciler.change(give("b", portOf(1)));
  const { removed } = await world.reconciler.takeDown(new Map([...give("a"), ...give("b")]));
  await removed;
  assert.deepEqual(forgotten(world), [1]);
});

test("another value in its place is the end of the former one", async () => {
  const world = newWorld();
  await world.reconciler.change(owned(1));
  const object: NftElementObject = { ...element("p1"), element: { key: ["p1"], comment: "elsewhere" } };
  const replaced = [{ object: table() }, { object, effects: [forget(7)], effectsWhenGone: [forget(8)] }];
  await world.reconciler.change(give("a", ...replaced));
  assert.deepEqual(forgotten(world), [7, 1]);
});

test("a table that is rebuilt loses nothing that is wanted", async () => {
  const world = newWorld();
  await world.reconciler.change(owned(1));
  await world.reconciler.change(give("a", { object: table(hostNetns, "second") }, portOf(1)));
  assert.deepEqual(forgotten(world), []);
});

test("what is removed in the background has its effects after it is gone", async () => {
  const world = newWorld();
  const link: Wanted = { object: bridge(), effectsWhenGone: [forget(1)] };
  await world.reconciler.change(give("a", link));
  const { removed } = await world.reconciler.takeDown(give("a"));
  assert.deepEqual(forgotten(world), []);
  await removed;
  assert.deepEqual(world.kernel.all(), []);
  assert.deepEqual(forgotten(world), [1]);
  await world.reconciler.change(give("a", link));
  void world.reconciler.takeDown(give("a"));
  await world.reconciler.close();
  assert.deepEqual(forgotten(world), [1], "also when it is closed meanwhile");
});

test("what could not be deleted is not gone, and a change that is refused ends nothing", async () => {
  const world = newWorld();
  await world.reconciler.change(owned(1, 2));
  refusing(world, ({ op, object }) => op === "delete" && identityOf(object) === identityOf(element("p1")));
  const { removed } = await world.reconciler.takeDown(owned());
  await assert.rejects(removed);
  assert.deepEqual(forgotten(world), [2]);
  world.kernel.onOperation = () => undefined;
  await world.reconciler.sync();
  await world.reconciler.change(owned(3));
  refusing(world, ({ object }) => object.kind === "sysctl");
  const last: Wanted = { object: { ...sysctl("k", "1"), opensTraffic: true } };
  const changes = new Map([...owned(4), ...give("b", last)]);
  await assert.rejects(world.reconciler.change(changes));
  assert.deepEqual(forgotten(world), [4], "what had come and is taken back is gone");
});
