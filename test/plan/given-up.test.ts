import assert from "node:assert/strict";
import { test } from "node:test";
import { type MacAddress, parseMac } from "../../src/core/index.ts";
import {
  type ForgetFlowsEffect,
  hostNetns,
  identityOf,
  type KernelObject,
  type LinkObject,
  type NetnsObject,
  type NftElementObject,
} from "../../src/kernel/index.ts";
import type { Changes, Wanted } from "../../src/plan/index.ts";
import {
  address,
  adopted,
  bridge,
  element,
  file,
  held,
  netns,
  sandbox,
  sysctl,
  table,
  up,
  wanted,
} from "./objects.ts";
import { assertThere, newWorld, operations, refusing, type World } from "./reconciler-fixture.ts";

const give = (owner: string, ...objects: readonly Wanted["object"][]): Changes =>
  new Map([[owner, wanted(...objects)]]);

const runtimes: NetnsObject = { kind: "netns", netns: sandbox, from: "/proc/7/ns/net", identity: "7" };

const moved = (from: string, mac: MacAddress, name = "eth0"): LinkObject => ({
  kind: "link",
  netns: sandbox,
  name,
  spec: { type: "moved", from },
  mac,
});
const mac = parseMac("02:00:00:00:00:01");
const otherMac = parseMac("02:00:00:00:00:02");

const forget: ForgetFlowsEffect = {
  effect: "forget-flows",
  netns: hostNetns,
  family: 4,
  originalPort: 53,
};
const port: Wanted = { object: element("p53"), effectsWhenGone: [forget] };

/** A host on which `changes` were made by a process that has died. */
async function left(changes: Changes, prepare: (world: World) => void = () => {}): Promise<World> {
  const world = newWorld();
  prepare(world);
  await world.reconciler.change(changes);
  operations(world);
  world.kernel.effects.splice(0);
  return world.restarted();
}

/** Syncs with what was given up, and waits until it is gone. */
async function resume(world: World, ...givenUp: readonly Changes[]): Promise<void> {
  const { failures, takenDown } = await world.reconciler.sync({ givenUp });
  assert.deepEqual(failures, []);
  for (const { removed } of takenDown) await removed;
}

test("nothing of what was given up is made again, and what is left of it goes", async () => {
  const objects = [netns(), file("hosts", "a\n"), bridge(), address("br0", "10.0.0.1/24"), table()];
  const first = await left(give("a", ...objects, held("dns")));
  await resume(first, give("a", ...objects, held("dns")));
  assertThere(first);
  assert.deepEqual(first.things.log, []);
  operations(first);
  const second = first.restarted();
  await resume(second, give("a", ...objects));
  assert.deepEqual(operations(second), []);
  assert.deepEqual([...second.reconciler.desired.owners()], []);
});

test("a moved link is given back if it is there", async () => {
  const objects = [netns(), moved("pg0", mac), address("eth0", "10.0.0.2/24", sandbox), up("eth0", sandbox)];
  const plan = give("a", ...objects);
  const world = await left(plan, ({ kernel }) => kernel.addForeign([adopted("pg0")]));
  await resume(world, plan);
  assertThere(world, adopted("pg0"));
  operations(world);
  await resume(world.restarted(), plan);
  assert.deepEqual(operations(world), []);
});

test("a runtime's namespace is emptied before it is let go of, and nothing of the runtime's is touched", async () => {
  const plan = give("a", runtimes, up("lo", sandbox), table(sandbox), element("x", sandbox));
  const world = await left(plan);
  const tunnel: LinkObject = { ...adopted("tun0"), netns: sandbox };
  world.kernel.addForeign([tunnel]);
  await resume(world, plan);
  assert.deepEqual(operations(world), [
    `delete ${identityOf(table(sandbox))}`,
    `delete ${identityOf(runtimes)}`,
  ]);
  const inside = "/proc/7/ns/net";
  assertThere(world, { ...tunnel, netns: inside }, up("lo", inside));
});

test("what is gone has its effects, whether the crash was before or after it went", async () => {
  const plan: Changes = new Map([["a", [{ object: table() }, port]]]);
  const before = await left(plan);
  await resume(before, plan);
  assert.deepEqual(before.kernel.effects.splice(0), [forget]);
  const after = before.restarted();
  await resume(after, plan);
  assert.deepEqual(after.kernel.effects, [forget]);
});

test("what somebody else wants just so stays, and has no effects", async () => {
  const plan: Changes = new Map([["a", [{ object: table() }, port]]]);
  const world = await left(plan);
  world.reconciler.stage(new Map([["b", [{ object: table() }, port]]]));
  await resume(world, plan);
  assert.deepEqual(operations(world), []);
  assert.deepEqual(world.kernel.effects, []);
  assertThere(world, table(), element("p53"));
});

test("what somebody else wants otherwise is theirs", async () => {
  const plan: Changes = new Map([["a", [{ object: table() }, port]]]);
  const world = await left(plan);
  const other: NftElementObject = { ...element("p53"), element: { key: ["p53"], comment: "elsewhere" } };
  world.reconciler.stage(give("b", table(), other));
  await resume(world, plan);
  assert.deepEqual(world.kernel.effects, [forget]);
  const there = world.kernel.all().find(({ object }) => identityOf(object) === identityOf(other));
  assert.deepEqual(there?.object, other);
});

test("a moved link is told by its MAC address from the one that takes its place", async () => {
  const plan = give("a", moved("pg0", mac));
  for (const [own, comes] of [
    [mac, ["pg0"]],
    [otherMac, []],
  ] as const) {
    const world = await left(give("box", netns()), ({ kernel }) =>
      kernel.addForeign([adopted("pg0"), adopted("pg1")]),
    );
    const there = own === mac ? moved("pg0", mac) : moved("pg1", otherMac);
    await world.kernel.apply([{ op: "create", object: there }]);
    world.reconciler.stage(new Map([...give("box", netns()), ...give("b", moved("pg1", otherMac))]));
    operations(world);
    await resume(world, plan);
    const expected = own === mac ? ["delete", "create"].map((op) => `${op} ${identityOf(there)}`) : [];
    assert.deepEqual(operations(world), expected);
    const names = world.kernel.all().flatMap(({ object }) => (object.kind === "link" ? [object.name] : []));
    assert.deepEqual(names.sort(), own === mac ? ["eth0", ...comes] : ["eth0", "pg0"]);
  }
});

test("what others made is not believed to be what was given up", async () => {
  const world = newWorld();
  const theirs: readonly KernelObject[] = [bridge(), up("br0"), sysctl("net/ipv4/ip_forward", "0")];
  world.kernel.addForeign(theirs);
  await resume(world, give("a", bridge(), sysctl("net/ipv4/ip_forward", "1")));
  assert.deepEqual(operations(world), []);
  assertThere(world, ...theirs);
});

test("what could not be taken down is told, keeps nothing else, and goes the next time", async () => {
  const first = give("a", netns(), moved("pg0", mac));
  const second = give("b", bridge());
  const world = await left(new Map([...first, ...second]), ({ kernel }) =>
    kernel.addForeign([adopted("pg0")]),
  );
  refusing(world, ({ op, object }) => op === "delete" && object.kind === "link" && object.name === "eth0");
  const { takenDown } = await world.reconciler.sync({ givenUp: [first, second] });
  const [one, other] = takenDown;
  await assert.rejects(one?.removed ?? Promise.resolve(), /netns .* stays, for link .* eth0 is in it/);
  await other?.removed;
  // The link would be lost with the namespace.
  assertThere(world, netns(), { ...moved("pg0", mac), spec: { type: "adopted" } });
  world.kernel.onOperation = () => undefined;
  await resume(world, first);
  assertThere(world, adopted("pg0"));
});
