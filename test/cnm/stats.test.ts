import assert from "node:assert/strict";
import { test } from "node:test";
import { DurationCounter, durationBounds } from "../../src/cnm/durations.ts";
import { Controller } from "../../src/cnm/index.ts";
import { withNetns } from "../netns-fixture.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";
import { onBoth } from "./world.ts";

test("durations are counted in the first class that holds them", () => {
  const counter = new DurationCounter();
  for (const ms of [0, 1, 1.5, 2.5, 10_000, 10_001]) counter.add(ms, ms > 10_000);
  const { count, failures, totalMs, classes } = counter.figures;
  assert.deepEqual([count, failures, totalMs], [6, 1, 20_006]);
  assert.equal(classes.length, durationBounds.length + 1);
  assert.deepEqual([classes[0], classes[1], classes.at(-2), classes.at(-1)], [2, 2, 1, 1]);
});

onBoth("figures tell what was asked for, what failed, and what there is", async (world) => {
  const { controller } = world;
  const network = await controller.createNetwork("bridge", "net");
  await assert.rejects(controller.createNetwork("bridge", "net"));
  const sandbox = await controller.createSandbox("c1", { ports: ["8080:80"] });
  await sandbox.connect(network);
  await network.createEndpoint("e");
  await network.endpoint("e").delete();
  await controller.drift();
  const twin = await controller.twin();
  await twin.close();
  await world.settle();
  const { operations, kernel, ports, ...rest } = await controller.stats();
  const counts = Object.entries(operations).map(([verb, { count, failures }]) => [verb, count, failures]);
  assert.deepEqual(counts, [
    ["network create", 2, 1],
    ["sandbox create", 1, 0],
    ["sandbox connect", 1, 0],
    ["endpoint create", 1, 0],
    ["endpoint delete", 1, 0],
    ["drift", 1, 0],
    ["twin", 1, 0],
  ]);
  assert.deepEqual(ports, { published: 2, lost: 0 });
  const repairs = { repairs: 0, repairedObjects: 0 };
  assert.deepEqual(rest, { networks: 1, endpoints: 1, sandboxes: 1, running: 0, background: 0, repairs });
  assert.equal(kernel.batches.failures, 0);
  assert.equal(kernel.refused, 0);
  assert.ok(kernel.changes > kernel.batches.count && kernel.batches.count > 0);
  assert.equal(kernel.readings.count > 0, true);
  await controller.close();
  assert.equal((await controller.stats()).sandboxes, 1);
  await world.open();
});

test("a controller of real parts tells of its threads too, and of none that have ended", async (t) => {
  await withNetns(1, async ([host]) => {
    const controller = await Controller.open({ root: `${temporaryFolder(t)}/root`, hostNetns: host.path });
    try {
      const { dns, ports } = await controller.stats();
      assert.equal(dns?.sandboxes, 0);
      assert.equal(ports.proxies?.ports, 0);
    } finally {
      await controller.purge();
    }
    assert.equal((await controller.stats()).dns, undefined);
  });
});
