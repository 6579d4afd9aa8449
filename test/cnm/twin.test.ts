import assert from "node:assert/strict";
import { test } from "node:test";
import type { Controller, TwinStep } from "../../src/cnm/index.ts";
import type { Kernel, Operation } from "../../src/kernel/index.ts";
import { identityOf } from "../../src/kernel/index.ts";
import { tablesOf } from "./tables-text.ts";
import { onBoth, type World, type WorldOptions, withLinux } from "./world.ts";

/** Notes what is really done. */
function recording(done: Operation[]): WorldOptions {
  return {
    kernel: (kernel: Kernel): Kernel => ({
      read: (query) => kernel.read(query),
      run: (effects) => kernel.run(effects),
      close: () => kernel.close(),
      async apply(operations) {
        const outcomes = await kernel.apply(operations);
        done.push(...operations.filter((_one, i) => outcomes[i] === undefined));
        return outcomes;
      },
    }),
  };
}

type Step = Pick<TwinStep, "step" | "identity" | "object" | "former">;

/** Steps as texts that do not depend on ids and MAC addresses, sorted: the background has an order of its own. */
function texts(steps: readonly Step[], controller: Controller): readonly string[] {
  const names: (readonly [id: string, name: string])[] = [];
  for (const network of controller.networks()) {
    names.push([network.id, network.name]);
    for (const endpoint of network.endpoints()) names.push([endpoint.id, endpoint.name]);
  }
  for (const { id, containerId } of controller.sandboxes()) names.push([id, containerId]);
  return steps
    .map(({ step, identity, object, former }) => {
      let text = JSON.stringify([step, identity, object, former]);
      for (const [id, name] of names)
        for (const length of [64, 12, 11]) text = text.replaceAll(id.slice(0, length), `<${name}>`);
      return text.replaceAll(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, "MAC");
    })
    .sort();
}

function stepsOf(operations: readonly Operation[]): readonly Step[] {
  return operations.map((operation) => {
    const { op, object } = operation;
    const step = { step: op, identity: identityOf(object), object };
    return operation.op === "change" ? { ...step, former: operation.former } : step;
  });
}

/** Things to do, some of them together, each group tried out first. */
const groups: readonly ((controller: Controller) => Promise<unknown>)[] = [
  (c) => c.ensurePredefined({ bridge: { mtu: 1400 } }),
  async (c) => {
    const network = await c.createNetwork("bridge", "net", {
      ipv6: true,
      ipam: { subnets: [{ subnet: "10.40.0.0/24" }, { subnet: "fd00:40::/64" }] },
    });
    await c.createSandbox("c1", { hostname: "one", ports: ["8080:80", "81/udp"], endpoints: [{ network }] });
  },
  (c) =>
    c.createSandbox("c2", { endpoints: [{ network: c.network("net") }, { network: c.network("bridge") }] }),
  (c) => c.network("net").endpoint("c2").leave(),
  (c) =>
    c.createNetwork("bridge", "inner", { internal: true, ipam: { subnets: [{ subnet: "10.41.0.0/24" }] } }),
  (c) => c.sandbox("c2").delete(),
  (c) => c.ensurePredefined({ bridge: { mtu: 1300, icc: false } }),
  (c) => c.createNetwork("bridge", "old", { options: { "com.docker.network.bridge.name": "mine0" } }),
  async (c) => {
    for (const sandbox of c.sandboxes()) await sandbox.delete();
    await c.network("net").endpoint("c2").delete();
    for (const name of ["net", "inner", "old"]) await c.network(name).delete();
    await c.ensurePredefined({ bridge: "none" });
  },
];

const done: Operation[] = [];

onBoth(
  "what the twin does touches nothing, and is what is then done",
  async (world) => {
    world.hand.addBridge("mine0");
    for (const [i, group] of groups.entries()) {
      await world.settle();
      const { revision } = world.bare.store;
      const before = await tablesOf(world);
      const twin = await world.controller.twin();
      assert.deepEqual(twin.steps(), [], `group ${i}`);
      await group(twin.controller);
      await twin.controller.idle();
      const planned = texts(twin.steps(), twin.controller);
      assert.notEqual(planned.length, 0);
      await twin.close();
      assert.deepEqual(await tablesOf(world), before);
      assert.equal(world.bare.store.revision, revision);
      done.length = 0;
      await group(world.controller);
      await world.settle();
      assert.deepEqual(texts(stepsOf(done), world.controller), planned, `group ${i}`);
    }
    assert.deepEqual(world.events, []);
  },
  recording(done),
);

test("the twin knows which ports and addresses are really there", () =>
  withLinux(async (world) => {
    world.hand.takePort(8080);
    await world.controller.ensurePredefined({ bridge: {} });
    const mine = await world.controller.createSandbox("mine", onBridge(world.controller, ["8090:80"]));
    const twin = await world.controller.twin();
    const attempt = (name: string, port: string) =>
      twin.controller.createSandbox(name, onBridge(twin.controller, [port]));
    await assert.rejects(attempt("a", "8080:80"), {
      code: "PORT_IN_USE",
      message: /address already in use$/,
    });
    await assert.rejects(attempt("a", "8090:80"), { code: "PORT_IN_USE", message: /already allocated$/ });
    await assert.rejects(attempt("a", "192.0.2.200:8081:80"), { code: "HOST_ADDRESS_MISSING" });
    await attempt("b", "172.17.0.1:8081:80");
    await twin.controller.sandbox("mine").delete();
    await attempt("c", "8090:80");
    await twin.close();
    assert.equal(mine.ports()[0]?.hostPort, 8090);
    world.hand.giveUpPort(8080);
  }));

function onBridge(controller: Controller, ports: readonly string[]) {
  return { ports, endpoints: [{ network: controller.network("bridge") }] };
}

test("a closed controller has no twin", () =>
  withLinux(async (world: World) => {
    await world.controller.close();
    await assert.rejects(world.controller.twin(), { code: "CONTROLLER_CLOSED" });
    await world.open();
  }));
