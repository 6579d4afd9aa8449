import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError, parseAddress, parseMac } from "../../src/core/index.ts";
import { type Effect, identityOf, MemoryKernel, netnsIdentityOf } from "../../src/kernel/index.ts";
import type { Wanted } from "../../src/plan/index.ts";
import {
  address,
  bridge,
  element,
  file,
  held,
  netns,
  port,
  route,
  sandbox,
  sysctl,
  table,
  up,
  veth,
  wanted,
} from "./objects.ts";
import {
  assertThere,
  newWorld,
  operations,
  refusal,
  refusing,
  there,
  type World,
} from "./reconciler-fixture.ts";

const network = wanted(
  bridge(),
  address("br0", "10.0.0.1/24"),
  up("br0"),
  sysctl("net/ipv4/conf/all/log_martians", "1"),
  table(),
  element("br0"),
);
const endpoint = wanted(
  veth(),
  port(),
  address("eth0", "10.0.0.2/24", sandbox),
  up("veth0"),
  up("eth0", sandbox),
  route("eth0", "10.0.0.1"),
  held("name", { type: "thing" }),
);
const box = wanted(
  netns(),
  up("lo", sandbox),
  file("hosts", "127.0.0.1 localhost\n"),
  held("dns", { within: [netnsIdentityOf(sandbox)] }),
);
const objectsOf = (...plans: readonly (readonly Wanted[])[]) => plans.flat().map(({ object }) => object);
const kernelObjects = (...plans: readonly (readonly Wanted[])[]) =>
  objectsOf(...plans).filter(({ kind }) => kind !== "held");

const announce: Effect = {
  effect: "announce",
  netns: sandbox,
  link: "eth0",
  mac: parseMac("02:00:00:00:00:02"),
  addresses: [parseAddress("10.0.0.2")],
};

async function whole(world: World): Promise<void> {
  await world.reconciler.change(new Map([["network", network]]));
  await world.reconciler.change(
    new Map([
      ["box", box],
      ["endpoint", endpoint],
    ]),
  );
}

test("a change makes what is wanted, and again makes nothing", async () => {
  const world = newWorld();
  await whole(world);
  assertThere(world, ...kernelObjects(network, endpoint, box));
  assert.deepEqual(world.things.log, ["acquire dns {}", "acquire name {}"]);
  operations(world);
  await whole(world);
  assert.deepEqual(operations(world), []);
  assert.equal(world.things.log.length, 2);
});

test("what another owner wants otherwise is refused before anything is done", async () => {
  const world = newWorld();
  await whole(world);
  operations(world);
  const other = wanted(bridge("br1"), bridge("br0", { mtu: 9000 }));
  await assert.rejects(world.reconciler.change(new Map([["other", other]])), (error) =>
    isWeftError(error, "OBJECT_CONFLICT"),
  );
  assert.deepEqual(operations(world), []);
  assert.deepEqual(world.reconciler.desired.wantedBy("other"), []);
});

test("wherever a change is refused, it is taken back and the refusal is thrown", async () => {
  const changed = new Map([
    ["box", box],
    ["endpoint", endpoint],
    ["network", [...network, ...wanted(element("br9"))].filter(({ object }) => object.kind !== "sysctl")],
  ]);
  const faultless = newWorld();
  await faultless.reconciler.change(new Map([["network", network]]));
  operations(faultless);
  await faultless.reconciler.change(changed);
  const count = operations(faultless).length;
  assert.ok(count > 10);
  for (let at = 0; at < count; at++) {
    const world = newWorld();
    await world.reconciler.change(new Map([["network", network]]));
    const before = there(world);
    let left = at;
    const error = refusal();
    world.kernel.onOperation = () => (left-- === 0 ? error : undefined);
    await assert.rejects(world.reconciler.change(changed), error, `operation ${at}`);
    assert.deepEqual(there(world), before, `operation ${at}`);
    assert.deepEqual(await world.reconciler.drift(), [], `operation ${at}`);
    assert.equal(
      world.things.log.filter((line) => line.startsWith("acquire")).length,
      world.things.log.filter((line) => line.startsWith("release")).length,
    );
    assert.deepEqual([...world.journal.entries()].length, 1, `operation ${at}`);
    await world.reconciler.change(changed);
    assertThere(world, ...kernelObjects(...changed.values()), sysctl("net/ipv4/conf/all/log_martians", "0"));
  }
});

test("what cannot be held is the change's refusal, and nothing of it stays", async () => {
  const world = newWorld();
  world.things.refuses.add("acquire name {}");
  await world.reconciler.change(new Map([["network", network]]));
  const before = there(world);
  await assert.rejects(
    world.reconciler.change(
      new Map([
        ["box", box],
        ["endpoint", endpoint],
      ]),
    ),
    /cannot acquire name/,
  );
  assert.deepEqual(there(world), before);
  assert.deepEqual(world.things.log, ["acquire dns {}", "release dns {}"]);
});

test("a held object that cannot become another is held as it was", async () => {
  const world = newWorld();
  const plan = (port: number) => new Map([["a", wanted(held("dns", { spec: { port } }))]]);
  await world.reconciler.change(plan(1));
  world.things.refuses.add('acquire dns {"port":2}');
  await assert.rejects(world.reconciler.change(plan(2)), /cannot acquire/);
  assert.deepEqual(world.things.log.splice(0), [
    'acquire dns {"port":1}',
    'release dns {"port":1}',
    'acquire dns {"port":1}',
  ]);
  await world.reconciler.change(plan(3));
  assert.deepEqual(world.things.log, ['release dns {"port":1}', 'acquire dns {"port":3}']);
});

test("when the kernel breaks off, what it did is found out and taken back", async () => {
  class Breaking extends MemoryKernel {
    breaksAfter: number | undefined;
    override async apply(list: Parameters<MemoryKernel["apply"]>[0]) {
      const { breaksAfter } = this;
      if (breaksAfter === undefined) return super.apply(list);
      this.breaksAfter = undefined;
      await super.apply(list.slice(0, breaksAfter));
      throw refusal(105);
    }
  }
  for (let after = 0; after < 6; after++) {
    const kernel = new Breaking();
    const world = newWorld(kernel);
    await world.reconciler.change(new Map([["network", network]]));
    const before = there(world);
    kernel.breaksAfter = after;
    await assert.rejects(
      world.reconciler.change(
        new Map([
          ["box", box],
          ["endpoint", endpoint],
        ]),
      ),
      /ENOBUFS/,
    );
    assert.deepEqual(there(world), before, `after ${after}`);
    await world.reconciler.change(
      new Map([
        ["box", box],
        ["endpoint", endpoint],
      ]),
    );
    assertThere(world, ...kernelObjects(network, endpoint, box));
  }
});

test("an interface changes hands in one change", async () => {
  const world = newWorld();
  await world.reconciler.change(
    new Map([
      ["box", box],
      ["a", wanted(veth("vetha"), up("eth0", sandbox))],
    ]),
  );
  const { removed } = await world.reconciler.change(
    new Map([
      ["a", []],
      ["b", wanted(veth("vethb"), up("eth0", sandbox))],
    ]),
  );
  await removed;
  assertThere(world, ...kernelObjects(box), veth("vethb"), up("eth0", sandbox));
});

test("a default route outlives the interface that it left", async () => {
  const world = newWorld();
  const pair = (n: number) =>
    wanted(
      veth(`veth${n}`, `eth${n}`),
      address(`eth${n}`, `10.${n}.0.2/24`, sandbox),
      up(`eth${n}`, sandbox),
    );
  const way = (n: number) => wanted(route(`eth${n}`, `10.${n}.0.1`));
  await world.reconciler.change(
    new Map([
      ["box", [...box, ...way(0)]],
      ["a", pair(0)],
      ["b", pair(1)],
    ]),
  );
  const { removed } = await world.reconciler.takeDown(
    new Map([
      ["box", [...box, ...way(1)]],
      ["a", []],
    ]),
  );
  await removed;
  assertThere(world, ...kernelObjects(box, pair(1), way(1)));
  operations(world);
  await world.reconciler.change(new Map([["box", box]]));
  await world.reconciler.idle();
  assert.deepEqual(operations(world), [`delete ${identityOf(route("eth1", "10.1.0.1"))}`]);
});

test("effects run once, after the change that they hang on, and not when it was refused", async () => {
  const world = newWorld();
  const plan = endpoint.map((one) =>
    one.object.kind === "up" && one.object.netns === sandbox ? { ...one, effects: [announce] } : one,
  );
  await world.reconciler.change(
    new Map([
      ["network", network],
      ["box", box],
    ]),
  );
  const changes = new Map([["endpoint", plan]]);
  refusing(world, ({ object }) => object.kind === "route");
  await assert.rejects(world.reconciler.change(changes));
  assert.deepEqual(world.kernel.effects, []);
  world.kernel.onOperation = () => undefined;
  await world.reconciler.change(changes);
  await world.reconciler.change(changes);
  assert.deepEqual(world.kernel.effects, [announce]);
});

test("an effect that fails is only told", async () => {
  const world = newWorld();
  const errors = [refusal(), refusal(19), undefined]; // the second says that the link is gone again
  world.kernel.run = async () => errors;
  const plan = ["br0", "br1", "br2"].map((link) => ({
    object: bridge(link),
    effects: [{ ...announce, link }],
  }));
  await world.reconciler.change(new Map([["a", plan]]));
  assert.deepEqual(world.events, [
    { event: "effect-failed", effect: { ...announce, link: "br0" }, error: errors[0] },
  ]);
});

test("a kernel that breaks off fails all effects of a change, and not the change", async () => {
  const world = newWorld();
  const broken = new Error("broken off");
  world.kernel.run = () => Promise.reject(broken);
  const effects = [announce, { ...announce, link: "br1" }];
  await world.reconciler.change(new Map([["a", [{ object: bridge(), effects }]]]));
  assert.deepEqual(
    world.events,
    effects.map((effect) => ({ event: "effect-failed", effect, error: broken })),
  );
});

test("a dry run tells the steps and does none of them", async () => {
  const world = newWorld();
  await world.reconciler.change(new Map([["network", network]]));
  operations(world);
  const steps = await world.reconciler.plan(
    new Map([
      ["network", []],
      ["other", wanted(bridge("br1"))],
    ]),
  );
  const told = steps.map(({ step, identity }) => `${step} ${identity}`);
  assert.deepEqual(told, [
    `change ${identityOf(sysctl("net/ipv4/conf/all/log_martians", "0"))}`,
    `delete ${identityOf(bridge())}`,
    `delete ${identityOf(table())}`,
    `create ${identityOf(bridge("br1"))}`,
  ]);
  assert.deepEqual(operations(world), []);
  assertThere(world, ...kernelObjects(network));
  assert.equal([...world.journal.entries()].length, 1);
});
