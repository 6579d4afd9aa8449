import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { EndpointRecord, NetworkRecord, SandboxRecord } from "../../src/cnm/index.ts";
import { addressPart, isWeftError } from "../../src/core/index.ts";
import { seededNumbers } from "./deterministic.ts";
import { deleteAll } from "./life.ts";
import { records, tablesOf } from "./tables-text.ts";
import { onBoth, type World, withLinux, withTwin } from "./world.ts";

/** Codes that a caller may get since others were faster. Anything else is a defect. */
const lostRaces = [
  "NETWORK_NOT_FOUND",
  "NETWORK_EXISTS",
  "NETWORK_HAS_ENDPOINTS",
  "SANDBOX_NOT_FOUND",
  "SANDBOX_EXISTS",
  "ENDPOINT_NOT_FOUND",
  "ENDPOINT_EXISTS",
  "ENDPOINT_JOINED",
  "ENDPOINT_NOT_JOINED",
];

/** One of the things that callers do, on few networks and sandboxes, so that they meet. */
async function randomDeed({ controller }: World, below: (limit: number) => number): Promise<unknown> {
  const network = `n${below(3)}`;
  const container = `c${below(4)}`;
  const endpoint = `e${below(6)}`;
  const deed = below(10);
  // Some come a little later than others.
  for (let turns = below(8); turns > 0; turns--) await new Promise<void>((resolve) => setImmediate(resolve));
  switch (deed) {
    case 0:
      return controller.createNetwork("bridge", network, { ipv6: network === "n1" });
    case 1:
      return controller.network(network).delete();
    case 2:
      return controller.createSandbox(container);
    case 3:
      return controller.sandbox(container).delete();
    case 4:
      return controller.network(network).createEndpoint(endpoint);
    case 5:
      return controller.network(network).endpoint(endpoint).join(controller.sandbox(container));
    case 6:
      return controller.sandbox(container).connect(controller.network(network), { name: endpoint });
    case 7:
      return controller.network(network).endpoint(endpoint).leave();
    case 8:
      return controller.repair();
    default:
      return controller
        .network(network)
        .endpoint(endpoint)
        .delete({ force: below(2) === 0 });
  }
}

/** Half of the world is there, and then everybody comes at once. */
async function tumult(world: World, seed: number, deeds: number): Promise<void> {
  const below = seededNumbers(seed);
  for (const name of ["n0", "n1"]) await world.controller.createNetwork("bridge", name);
  for (const name of ["c0", "c1", "c2"]) await world.controller.createSandbox(name);
  const outcomes = await Promise.allSettled(Array.from({ length: deeds }, () => randomDeed(world, below)));
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") continue;
    const { reason } = outcome;
    assert.ok(isWeftError(reason) && lostRaces.includes(reason.code), String(reason?.stack ?? reason));
  }
  await world.settle();
  assert.deepEqual(world.events, []);
  assert.deepEqual(await world.controller.drift(), []);
  checkRecords(world);
  const tables = await tablesOf(world);
  await world.restart();
  await world.settle();
  assert.deepEqual(await tablesOf(world), tables);
  await deleteAll(world);
  await world.settle();
  assert.deepEqual(records(world, ""), []);
}

/** What the records say has to fit together. */
function checkRecords(world: World): void {
  const networks = records<NetworkRecord>(world, "networks/");
  const endpoints = records<EndpointRecord>(world, "endpoints/");
  const sandboxes = records<SandboxRecord>(world, "sandboxes/");
  for (const { state, name } of [...networks, ...endpoints]) assert.equal(state, "ready", name);
  const owned = new Set<string>();
  for (const endpoint of endpoints) {
    assert.ok(networks.some(({ id }) => id === endpoint.network));
    if (endpoint.join !== undefined) assert.ok(sandboxes.some(({ id }) => id === endpoint.join?.sandbox));
    for (const { address, poolId } of endpoint.addresses) {
      const lease = `${poolId} ${addressPart(address)}`;
      assert.ok(!owned.has(lease), `${lease} twice`);
      owned.add(lease);
    }
  }
  const leases = records<{ kind: string }>(world, "ipam/").filter(({ kind }) => kind === "endpoint");
  assert.equal(leases.length, owned.size);
}

test("fifty callers at once leave a state that fits together, whatever their order", () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), (seed) =>
      withTwin((world) => tumult(world, seed, 50), { seed: String(seed) }),
    ),
    { numRuns: 60, seed: 20_261_121 },
  ));

test("fifty callers at once leave a state that fits together on Linux", () =>
  withLinux((world) => tumult(world, 4711, 50)));

onBoth("of many who want one thing exactly one gets it", async (world) => {
  const { controller } = world;
  const winners = async (code: string, attempts: readonly (() => Promise<unknown>)[]) => {
    const outcomes = await Promise.allSettled(attempts.map((attempt) => attempt()));
    const lost = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    for (const reason of lost) assert.ok(isWeftError(reason) && reason.code === code, String(reason));
    return outcomes.length - lost.length;
  };
  const ten = Array.from({ length: 10 }, (_, i) => i);
  const each = (attempt: (i: number) => Promise<unknown>) => ten.map((i) => () => attempt(i));

  assert.equal(
    await winners(
      "NETWORK_EXISTS",
      each(() => controller.createNetwork("bridge", "one")),
    ),
    1,
  );
  assert.equal(
    await winners(
      "BRIDGE_NAME_IN_USE",
      each((i) =>
        controller.createNetwork("bridge", `b${i}`, {
          options: { "com.docker.network.bridge.name": "br-x" },
        }),
      ),
    ),
    1,
  );
  assert.equal(
    await winners(
      "NETWORK_PREDEFINED",
      each((i) => controller.createNetwork("null", `none${i}`)),
    ),
    1,
  );
  assert.equal(
    await winners(
      "POOL_OVERLAP",
      each((i) =>
        controller.createNetwork("bridge", `p${i}`, { ipam: { subnets: [{ subnet: "10.50.0.0/24" }] } }),
      ),
    ),
    1,
  );
  assert.equal(
    await winners(
      "SANDBOX_EXISTS",
      each(() => controller.createSandbox("box")),
    ),
    1,
  );
  const network = controller.network("one");
  assert.equal(
    await winners(
      "ENDPOINT_EXISTS",
      each(() => network.createEndpoint("e")),
    ),
    1,
  );
  const [pool] = network.info().pools;
  const wanted = `${pool?.pool.replace(/\.0\.0\/16$/, "")}.7.7`;
  assert.equal(
    await winners(
      "ADDRESS_IN_USE",
      each((i) => network.createEndpoint(`a${i}`, { ipv4Address: wanted })),
    ),
    1,
  );
  const boxes = await Promise.all(ten.map((i) => controller.createSandbox(`c${i}`)));
  assert.equal(
    await winners(
      "ENDPOINT_JOINED",
      boxes.map((box) => () => network.endpoint("e").join(box)),
    ),
    1,
  );
  await world.settle();
  assert.deepEqual(await controller.drift(), []);
  checkRecords(world);
});

onBoth("what is deleted can be had again at once, while its removal is still under way", async (world) => {
  const create = () =>
    world.controller.createNetwork("bridge", "again", {
      options: { "com.docker.network.bridge.name": "br-again" },
      ipam: { subnets: [{ subnet: "10.51.0.0/30" }] },
    });
  let network = await create();
  const sandbox = await world.controller.createSandbox("c1");
  for (let i = 0; i < 3; i++) {
    const endpoint = await sandbox.connect(network, { name: "only" });
    assert.equal((await endpoint.info()).ipv4Address, "10.51.0.2/30");
    await endpoint.leave();
    await endpoint.join(sandbox, { interfaceName: "eth0" });
    await endpoint.delete({ force: true });
    await network.delete();
    network = await create();
    assert.equal(network.info().answer?.adopted, false);
  }
  assert.deepEqual(await world.controller.drift(), []);
});

test("an address is free only once its interface is out of the kernel", () =>
  withTwin(async (world) => {
    const network = await world.controller.createNetwork("bridge", "net", {
      ipam: { subnets: [{ subnet: "10.52.0.0/30" }] },
    });
    const endpoint = await (await world.controller.createSandbox("c1")).connect(network, { name: "e1" });
    const deletions: string[] = [];
    world.twin.onOperation = ({ op, object }) => {
      if (op === "delete" && object.kind === "link") deletions.push(leasesNow());
      return undefined;
    };
    const leasesNow = () =>
      records<{ kind: string }>(world, "ipam/")
        .map(({ kind }) => kind)
        .join(" ");
    await endpoint.delete({ force: true });
    await network.createEndpoint("e2", { ipv4Address: "10.52.0.2" });
    assert.deepEqual(deletions, ["gateway endpoint"]);
  }));
