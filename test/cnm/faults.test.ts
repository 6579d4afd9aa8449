import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError } from "../../src/core/index.ts";
import { gate } from "../plan/reconciler-fixture.ts";
import { Fault, type FaultKind, FaultyKernel, FaultyStore } from "./faults.ts";
import { deleteAll, fading, growing, type LifeStep } from "./life.ts";
import { tablesOf } from "./tables-text.ts";
import { TwinFacts } from "./twin-host.ts";
import { onBoth, type World, type WorldOptions, withTwin } from "./world.ts";

async function settled(world: World): Promise<readonly string[]> {
  await world.settle();
  return tablesOf(world);
}

/** Each step with a fault at its first operation, its second, and so on until it meets none. */
async function refuseEach(world: World, fault: Fault, steps: readonly LifeStep[]): Promise<number> {
  let strikes = 0;
  for (const { name, run } of steps) {
    const before = await settled(world);
    for (let at = 1; ; at++) {
      fault.arm(at);
      const error: unknown = await run(world).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      fault.disarm();
      if (!fault.struck || error === undefined) {
        assert.equal(error, undefined, `${name} without a fault`);
        break;
      }
      strikes++;
      assert.ok(isWeftError(error), `${name}, fault at ${at}: ${error}`);
      assert.ok(["KERNEL", "STORE"].includes(error.code), error.message);
      assert.match(error.message, /ENOMEM|disk is full/);
      assert.deepEqual(await settled(world), before, `after ${name}, fault at ${at}: ${error.message}`);
    }
  }
  assert.deepEqual(world.events, []);
  return strikes;
}

const kernelFault = new Fault();
onBoth(
  "a fault in any kernel operation of what is being made is told, and leaves nothing",
  async (world) => {
    const empty = await settled(world);
    assert.ok((await refuseEach(world, kernelFault, growing)) > 40);
    assert.deepEqual(await world.controller.drift(), []);
    await deleteAll(world);
    assert.deepEqual(await settled(world), empty);
  },
  { kernel: (kernel) => new FaultyKernel(kernel, kernelFault) },
);

test("a fault in any transaction of what is being made is told, and leaves nothing", async () => {
  const fault = new Fault();
  await withTwin(
    async (world) => {
      const empty = await settled(world);
      assert.ok((await refuseEach(world, fault, growing)) > 6);
      await deleteAll(world);
      assert.deepEqual(await settled(world), empty);
    },
    { store: (store) => new FaultyStore(store, fault) },
  );
});

test("a sandbox of which nothing could be recorded is not there, and can be made once there is room", async () => {
  const fault = new Fault();
  await withTwin(
    async (world) => {
      const { controller } = world;
      const network = await controller.createNetwork("bridge", "n1");
      const before = await settled(world);
      const options = { ports: ["80"], endpoints: [{ network, name: "e1" }] };
      fault.arm(1, "refused from then on");
      await assert.rejects(controller.createSandbox("c1", options), /disk is full/);
      assert.deepEqual(controller.sandboxes(), []);
      fault.disarm();
      assert.deepEqual(await settled(world), before);
      const sandbox = await controller.createSandbox("c1", options);
      assert.equal(sandbox.endpoints().length, 1);
      await sandbox.delete();
      assert.deepEqual(await settled(world), before);
    },
    { store: (store) => new FaultyStore(store, fault) },
  );
});

test("a sandbox that is deleted while it is made leaves its name to the next one", () =>
  withTwin(async (world) => {
    const { controller, hand } = world;
    hand.addUplink("eth0");
    const { facts } = world.bare;
    assert.ok(facts instanceof TwinFacts);
    const network = await controller.createNetwork("macvlan", "lan", { options: { parent: "eth0" } });
    const answers = gate();
    const asked = gate();
    facts.heldAddresses = async () => {
      asked.open();
      await answers.opened; // nothing is locked meanwhile
      return [];
    };
    const first = controller.createSandbox("c1", { endpoints: [{ network }] });
    const refused = assert.rejects(first, (error) => isWeftError(error, "SANDBOX_NOT_FOUND"));
    await asked.opened;
    await controller.sandbox("c1").delete();
    const second = await controller.createSandbox("c1");
    answers.open();
    await refused;
    assert.equal(controller.sandbox("c1").id, second.id);
    await assert.rejects(controller.createSandbox("c1"), (error) => isWeftError(error, "SANDBOX_EXISTS"));
    assert.deepEqual(world.events, []);
  }));

test("a leave that cannot be recorded leaves the sandbox with the ports that it had", async () => {
  const fault = new Fault();
  await withTwin(
    async (world) => {
      for (const { run } of growing) await run(world);
      const before = await settled(world);
      const [leave] = fading;
      fault.arm(1);
      await assert.rejects(async () => leave?.run(world), /disk is full/);
      fault.disarm();
      assert.deepEqual(await settled(world), before);
    },
    { store: (store) => new FaultyStore(store, fault) },
  );
});

test("what cannot be held is told, and leaves nothing", () =>
  withTwin(async (world) => {
    const fault = new Fault();
    world.held.onAcquire = ({ type }) => {
      if (fault.next() !== undefined) throw new Error(`${type} cannot be had`);
    };
    for (const { name, run } of growing) {
      const before = await settled(world);
      for (let at = 1; ; at++) {
        fault.arm(at);
        const error: unknown = await run(world).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        fault.disarm();
        if (!fault.struck) break;
        assert.match(String(error), /cannot be had/);
        assert.deepEqual(await settled(world), before, `after ${name}, fault at ${at}`);
      }
    }
    assert.deepEqual(world.events, []);
  }));

/** Runs the steps until one of them fails; those that cannot be done any more are passed over. */
async function runAllOf(world: World, steps: readonly LifeStep[]): Promise<void> {
  for (const { run } of steps) {
    // A step may speak of what an earlier one, which failed, did not make.
    await Promise.resolve()
      .then(() => run(world))
      .catch((error: unknown) => assert.ok(isWeftError(error), String(error)));
  }
  await world.controller.idle();
}

/** Calls `round` with 1, 2, 3... until its fault does not strike any more. */
async function forEachOperation(
  kind: FaultKind,
  options: (fault: Fault) => WorldOptions,
  round: (world: World, fault: Fault) => Promise<void>,
): Promise<number> {
  const fault = new Fault();
  for (let at = 1; ; at++) {
    await withTwin((world) => {
      fault.arm(at, kind); // the opening is no part of it
      return round(world, fault);
    }, options(fault));
    if (!fault.struck) return at - 1;
  }
}

const onKernel = (fault: Fault): WorldOptions => ({ kernel: (kernel) => new FaultyKernel(kernel, fault) });
const onStore = (fault: Fault): WorldOptions => ({ store: (store) => new FaultyStore(store, fault) });

for (const [what, options] of Object.entries({ kernel: onKernel, store: onStore })) {
  test(`when the ${what} refuses everything from some operation on, the next start leaves nothing half done`, async () => {
    const rounds = await forEachOperation("refused from then on", options, async (world, fault) => {
      await runAllOf(world, [...growing, ...fading]);
      fault.disarm();
      await world.kill();
      await world.settle();
      assert.deepEqual(await world.controller.drift(), []);
      await deleteAll(world);
      assert.deepEqual(await settled(world), emptyHost);
    });
    assert.ok(rounds > 15, `${rounds} rounds`);
  });

  for (const kind of ["death before", "death after"] as const) {
    test(`a ${kind} any operation of the ${what} is mended by the next start`, async () => {
      const rounds = await forEachOperation(kind, options, async (world, fault) => {
        const died = fault.death();
        const ended = runAllOf(world, [...growing, ...fading]);
        await Promise.race([died, ended]);
        if (!fault.struck) return;
        await turnsOfTheLoop();
        fault.disarm();
        world.events.splice(0);
        await world.kill();
        await world.settle();
        assert.deepEqual(world.events, []);
        assert.deepEqual(await world.controller.drift(), []);
        noAddressTwice(await tablesOf(world));
        await deleteAll(world);
        assert.deepEqual(await settled(world), emptyHost);
      });
      assert.ok(rounds > 15, `${rounds} rounds`);
    });
  }
}

const emptyHost = [
  "sysctl net/ipv4/conf/all/accept_redirects = 1",
  "sysctl net/ipv4/ip_forward = 0",
  "sysctl net/ipv6/conf/all/forwarding = 0",
];

/** Lets what the dead process had begun come to its end, which is nowhere. */
async function turnsOfTheLoop(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

function noAddressTwice(lines: readonly string[]): void {
  const addresses = lines.flatMap((line) => /^address \S+ \S+ (\S+)$/.exec(line)?.[1] ?? []);
  assert.equal(new Set(addresses).size, addresses.length);
}
