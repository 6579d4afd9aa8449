import assert from "node:assert/strict";
import { test } from "node:test";
import { TwinFacts } from "./twin-host.ts";
import { type World, withTwin } from "./world.ts";

function factsOf(world: World): TwinFacts {
  const { facts } = world.bare;
  assert.ok(facts instanceof TwinFacts);
  return facts;
}

function fileOf(world: World): string {
  const file = world.twin
    .all()
    .find(({ object }) => object.kind === "file" && object.path.endsWith("resolv.conf"))?.object;
  return file?.kind === "file" ? file.content : "";
}

const upstreams = (world: World) =>
  JSON.stringify(world.held.all.find(({ type }) => type === "dns-forward")?.spec);

/** Lets what was told be worked off. */
async function workOff(world: World): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  await world.settle();
}

test("sandboxes follow the host's resolv.conf: their files, and the servers that are asked", () =>
  withTwin(async (world) => {
    const network = await world.controller.createNetwork("bridge", "n1");
    await world.controller.createSandbox("c1", { endpoints: [{ network }] });
    factsOf(world).setResolvConf("nameserver 198.51.100.1\nsearch new.example\n");
    await workOff(world);
    assert.match(fileOf(world), /^search new.example$/m);
    assert.match(upstreams(world), /198\.51\.100\.1/);
    assert.equal(world.controller.sandbox("c1").info().hostResolvConf.includes("198.51.100.1"), true);
  }));

test("what changed while weft was away is taken in at its start", () =>
  withTwin(async (world) => {
    const network = await world.controller.createNetwork("bridge", "n1");
    await world.controller.createSandbox("c1", { endpoints: [{ network }] });
    await world.controller.close();
    factsOf(world).resolvConfText = "nameserver 198.51.100.2\n";
    await world.open();
    assert.match(upstreams(world), /198\.51\.100\.2/);
    assert.deepEqual(await world.controller.drift(), []);
  }));

test("a sandbox with servers of its own keeps them", () =>
  withTwin(async (world) => {
    const network = await world.controller.createNetwork("bridge", "n1");
    await world.controller.createSandbox("c1", { dns: ["203.0.113.5"], endpoints: [{ network }] });
    const before = upstreams(world);
    factsOf(world).setResolvConf("nameserver 198.51.100.1\n");
    await workOff(world);
    assert.equal(upstreams(world), before);
  }));
