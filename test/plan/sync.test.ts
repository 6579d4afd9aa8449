import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress, parseMac } from "../../src/core/index.ts";
import { type Effect, identityOf, type KernelObject, netnsIdentityOf } from "../../src/kernel/index.ts";
import {
  address,
  adopted,
  bridge,
  element,
  file,
  held,
  netns,
  port,
  sandbox,
  sysctl,
  table,
  up,
  veth,
  vlan,
  wanted,
} from "./objects.ts";
import { assertThere, newWorld, operations, refusing, there } from "./reconciler-fixture.ts";

const announce: Effect = {
  effect: "announce",
  netns: sandbox,
  link: "eth0",
  mac: parseMac("02:00:00:00:00:02"),
  addresses: [parseAddress("10.0.0.2")],
};
const dns = held("dns", { within: [netnsIdentityOf(sandbox)] });
const objects: readonly KernelObject[] = [
  netns(),
  file("hosts", "a\n"),
  bridge(),
  veth(),
  port(),
  address("eth0", "10.0.0.2/24", sandbox),
  up("br0"),
  up("veth0"),
  up("eth0", sandbox),
  sysctl("net/ipv4/conf/all/log_martians", "1"),
  table(),
  element("br0"),
  element("br1"),
];
const plan = [
  ...wanted(...objects.filter(({ kind }) => kind !== ("element" as string))).map((one) =>
    identityOf(one.object as KernelObject) === identityOf(up("eth0", sandbox))
      ? { ...one, effects: [announce] }
      : one,
  ),
  ...wanted(dns),
];

async function running() {
  const world = newWorld();
  await world.reconciler.change(new Map([["a", plan]]));
  operations(world);
  world.kernel.effects.splice(0);
  return world;
}

test("a start finds what is right and touches none of it", async () => {
  const before = await running();
  const world = before.restarted();
  world.reconciler.stage(new Map([["a", plan]]));
  assert.deepEqual((await world.reconciler.sync()).failures, []);
  assert.deepEqual(operations(world), []);
  assert.deepEqual(world.things.log, ["acquire dns {}"]); // it died with the process
  assert.deepEqual(world.kernel.effects, []);
  assert.deepEqual(await world.reconciler.drift(), []);
});

test("a sync while all is well gives nothing back and acquires nothing twice", async () => {
  const world = await running();
  await world.reconciler.sync();
  assert.deepEqual(world.things.log, ["acquire dns {}"]);
  assert.deepEqual(operations(world), []);
});

test("effects run again for owners whose making a crash may have cut off, once each", async () => {
  const world = (await running()).restarted();
  world.reconciler.stage(new Map([["a", plan]]));
  world.kernel.removeForeign([up("eth0", sandbox)]);
  await world.reconciler.sync({ again: new Set(["a", "nobody"]) });
  assert.deepEqual(world.kernel.effects, [announce]);
  await world.reconciler.sync({ again: new Set(["a"]) });
  assert.equal(world.kernel.effects.length, 2);
});

test("what carries weft's mark and nobody wants is removed, and what others made stays", async () => {
  const world = (await running()).restarted();
  const foreign = [bridge("docker0"), up("docker0"), address("docker0", "172.17.0.1/16"), adopted("eth9")];
  world.kernel.addForeign(foreign);
  await world.reconciler.sync();
  assertThere(world, ...foreign, sysctl("net/ipv4/conf/all/log_martians", "0"));
});

test("a start goes past failures and tells them", async () => {
  const world = newWorld();
  world.reconciler.stage(
    new Map([
      ["a", plan],
      ["b", wanted(bridge("br7"), address("br7", "10.7.0.1/24"), element("br7"))],
    ]),
  );
  refusing(
    world,
    ({ object }) =>
      identityOf(object) === identityOf(bridge("br7")) || identityOf(object) === identityOf(element("br0")),
  );
  const { failures } = await world.reconciler.sync();
  assert.deepEqual(
    failures.map(({ step }) => step.identity),
    [identityOf(bridge("br7")), identityOf(element("br0"))],
  );
  assertThere(
    world,
    ...objects.filter((one) => identityOf(one) !== identityOf(element("br0"))),
    element("br7"),
  );
});

test("what hangs on a veth that could not be made is not told besides", async () => {
  const world = newWorld();
  world.reconciler.stage(new Map([["a", plan]]));
  const error = refusing(world, ({ object }) => object.kind === "link" && object.spec.type === "veth");
  const { failures } = await world.reconciler.sync();
  assert.deepEqual(
    failures.map((one) => [one.step.identity, one.error]),
    [[identityOf(veth()), error]],
  );
});

test("a reading that fails changes nothing that is believed", async () => {
  const world = await running();
  const read = world.kernel.read.bind(world.kernel);
  world.kernel.read = () => Promise.reject(new Error("unreadable"));
  await assert.rejects(world.reconciler.sync(), /unreadable/);
  world.kernel.read = read;
  await world.reconciler.change(new Map([["a", plan]]));
  assert.deepEqual(operations(world), []);
});

test("a moved link that is where it belongs is believed, and goes back when it is given up", async () => {
  const world = newWorld();
  const moved = bridge("eth0", { netns: sandbox, spec: { type: "moved", from: "tap7" } });
  world.kernel.addForeign([adopted("tap7")]);
  const changes = new Map([["a", wanted(netns(), moved, up("eth0", sandbox))]]);
  await world.reconciler.change(changes);
  const next = world.restarted();
  next.reconciler.stage(changes);
  operations(world);
  assert.deepEqual((await next.reconciler.sync()).failures, []);
  assert.deepEqual(operations(world), []);
  const { removed } = await next.reconciler.takeDown(new Map([["a", []]]));
  await removed;
  assertThere(next, adopted("tap7"));
});

test("a stranger's link in the place of weft's is an error, and stays", async () => {
  const world = newWorld();
  world.kernel.addForeign([bridge()]);
  world.reconciler.stage(new Map([["a", wanted(bridge())]]));
  const { failures } = await world.reconciler.sync();
  assert.equal(failures.length, 1);
  await (await world.reconciler.takeDown(new Map([["a", []]]))).removed;
  assertThere(world, bridge());
});

for (const when of ["after a start", "before a crash"] as const)
  test(`what is on a stranger's link in the place of weft's stays when weft's is given up ${when}`, async () => {
    const world = newWorld();
    const plan = (own: KernelObject, name: string) =>
      wanted(own, sysctl(`k/${name}`, "1", name), address(name, "10.0.0.1/24"), up(name));
    const theirs = ["br0", "eth9.10"].flatMap((name) => [
      adopted(name),
      sysctl(`k/${name}`, "1", name),
      address(name, "10.0.0.1/24"),
      up(name),
    ]);
    const foreign = [adopted("eth9"), up("eth9"), ...theirs];
    world.kernel.addForeign(foreign);
    const changes = new Map([["a", [...plan(bridge(), "br0"), ...plan(vlan(10), "eth9.10")]]]);
    if (when === "after a start") {
      world.reconciler.stage(changes);
      const { failures } = await world.reconciler.sync();
      assert.deepEqual(
        failures.map(({ step }) => step.identity),
        [identityOf(bridge()), identityOf(vlan(10))],
      );
      await (await world.reconciler.takeDown(new Map([["a", []]]))).removed;
    } else {
      const [takenDown] = (await world.reconciler.sync({ givenUp: [changes] })).takenDown;
      await takenDown?.removed;
    }
    assertThere(world, ...foreign);
    assert.deepEqual(operations(world), []);
  });

test("each kind of drift is told and mended", async () => {
  const world = await running();
  const before = there(world);
  world.kernel.removeForeign([table(), up("veth0"), netns()]);
  const tampered = bridge("br0", { mtu: 9000 });
  world.kernel.addForeign([sysctl("net/ipv4/conf/all/log_martians", "0"), file("hosts", "b\n")]);
  world.reconciler.stage(
    new Map([
      [
        "a",
        plan.map((one) =>
          one.object.kind === "link" && one.object.name === "br0"
            ? { object: bridge("br0", { mtu: 1400 }) }
            : one,
        ),
      ],
    ]),
  );
  await world.kernel.apply([{ op: "create", object: bridge("left") }]);
  world.kernel.addForeign([tampered]);
  const drifts = await world.reconciler.drift();
  const told = drifts.map(({ drift, identity }) => `${drift} ${identity}`).sort();
  const missing = [
    netns(),
    veth(),
    port(),
    address("eth0", "10.0.0.2/24", sandbox),
    up("veth0"),
    up("eth0", sandbox),
    table(),
    element("br0"),
    element("br1"),
  ];
  assert.deepEqual(
    told,
    [
      ...[tampered, sysctl("net/ipv4/conf/all/log_martians", "1"), file("hosts", "")].map(
        (one) => `changed ${identityOf(one)}`,
      ),
      `left over ${identityOf(bridge("left"))}`,
      ...missing.map((one) => `missing ${identityOf(one)}`),
    ].sort(),
  );
  assert.deepEqual((await world.reconciler.sync()).failures, []);
  assert.deepEqual(await world.reconciler.drift(), []);
  assert.deepEqual(there(world), before);
  assert.deepEqual(world.things.log, ["acquire dns {}", "release dns {}", "acquire dns {}"]); // its namespace is another
});

test("closing gives back what is held, names before listeners, and leaves the kernel alone", async () => {
  const world = await running();
  await world.reconciler.change(new Map([["b", wanted(held("other"))]]));
  const before = there(world);
  world.things.refuses.add("release dns {}");
  await assert.rejects(world.reconciler.close(), /cannot release dns/);
  assert.deepEqual(world.things.log, ["acquire dns {}", "acquire other {}", "release other {}"]);
  assert.deepEqual(there(world), before);
});
