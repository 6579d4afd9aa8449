import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError } from "../../src/core/index.ts";
import { FakePluginDriver } from "../drivers/fake-plugin-driver.ts";
import { withNetns } from "../netns-fixture.ts";
import { Fault, type FaultKind, FaultyKernel, FaultyStore } from "./faults.ts";
import { tablesOf } from "./tables-text.ts";
import { type World, type WorldOptions, withLinux, withTwin } from "./world.ts";

/** A namespace that a runtime made: its path, and what weft has in it. */
interface RuntimeNetns {
  readonly path: string;
  readonly holds: (world: World) => readonly string[];
}

type InWorld = (
  body: (world: World, netns: RuntimeNetns) => Promise<void>,
  options: WorldOptions,
) => Promise<void>;

const onTwin: InWorld = (body, options) => {
  const path = "/proc/77/ns/net";
  const holds = ({ twin }: World) =>
    twin.all().flatMap(({ object }) => {
      const inside = object.kind !== "file" && object.kind !== "up" && object.netns === path;
      return inside ? [object.kind] : [];
    });
  return withTwin((world) => body(world, { path, holds }), options);
};

const onLinux: InWorld = (body, options) =>
  withNetns(1, ([far]) => {
    const lines = (...command: readonly [string, ...string[]]) =>
      far
        .exec(...command)
        .split("\n")
        .filter((line) => line !== "");
    const holds = () => [
      ...lines("ip", "-oneline", "link").flatMap((line) => /^\d+: (?!lo:)([^:@]+)/.exec(line)?.[1] ?? []),
      ...lines("nft", "list", "ruleset"),
    ];
    return withLinux((world) => body(world, { path: far.path, holds }), options);
  });

/** A sandbox with an endpoint of a plugin's, whose link is moved into it, and a published port of UDP. */
async function grow({ controller }: World, netnsPath: string | undefined): Promise<void> {
  const plugged = await controller.createNetwork("plugin", "plugged");
  const bridged = await controller.createNetwork("bridge", "bridged");
  const ports = ["8081:81/udp"];
  const endpoints = [{ network: bridged, priority: 1 }, { network: plugged }];
  await controller.createSandbox("c1", {
    ports,
    endpoints,
    ...(netnsPath === undefined ? {} : { netnsPath }),
  });
}

const deeds: Readonly<Record<string, (world: World) => Promise<void>>> = {
  "delete a sandbox": async ({ controller }) => controller.sandbox("c1").delete(),
  "leave it": async ({ controller }) => controller.network("plugged").endpoint("c1").leave(),
  "delete an endpoint in it": async ({ controller }) =>
    controller.network("plugged").endpoint("c1").delete({ force: true }),
};

async function everything(world: World, plugin: FakePluginDriver, netns: RuntimeNetns) {
  await world.settle();
  return [
    ...(await tablesOf(world)),
    ...[...plugin.state].map((one) => `plugin ${one}`).sort(),
    ...netns.holds(world).map((one) => `runtime's ${one}`),
  ];
}

interface Case {
  readonly inWorld: InWorld;
  readonly runtimes: boolean;
  readonly part: "kernel" | "store";
  readonly deed: (world: World) => Promise<void>;
}

/** One world with the sandbox in it, for `body`. Gives whether its fault struck, and what is there at the end. */
async function round(
  { inWorld, runtimes, part }: Case,
  body: (world: World, fault: Fault) => Promise<void>,
): Promise<{ readonly struck: boolean; readonly found: readonly string[] }> {
  const fault = new Fault();
  let plugin: FakePluginDriver | undefined;
  let found: readonly string[] = [];
  const options: WorldOptions = {
    drivers: (hand) => {
      plugin ??= new FakePluginDriver(hand);
      return [plugin];
    },
    ...(part === "kernel"
      ? { kernel: (kernel) => new FaultyKernel(kernel, fault) }
      : { store: (store) => new FaultyStore(store, fault) }),
  };
  await inWorld(async (world, netns) => {
    await grow(world, runtimes ? netns.path : undefined);
    await world.settle();
    assert.ok(plugin);
    await body(world, fault);
    found = await everything(world, plugin, netns);
    assert.deepEqual(
      plugin.calls.filter((call) => call.endsWith("not given back")),
      [],
    );
  }, options);
  return { struck: fault.struck, found };
}

/** The deed without a fault, and then with one at its first operation, its second, and so on until it meets none. */
async function eachFault(
  one: Case,
  kind: FaultKind,
  mend: (world: World, fault: Fault, deed: () => Promise<void>) => Promise<void>,
): Promise<number> {
  const { found: expected } = await round(one, (world) => one.deed(world));
  for (let at = 1; ; at++) {
    const { struck, found } = await round(one, async (world, fault) => {
      fault.arm(at, kind);
      await mend(world, fault, () => one.deed(world));
      assert.deepEqual(await world.controller.drift(), []);
      // What was not recorded was never begun.
      await one.deed(world).catch(refuseUnlessDone);
    });
    assert.deepEqual(found, expected, `${kind}, fault at ${at}`);
    if (!struck) return at - 1;
  }
}

function refuseUnlessDone(error: unknown): void {
  const done = ["SANDBOX_NOT_FOUND", "ENDPOINT_NOT_FOUND", "ENDPOINT_NOT_JOINED"];
  assert.ok(isWeftError(error) && done.includes(error.code), String(error));
}

async function restart(world: World, fault: Fault, deed: () => Promise<void>): Promise<void> {
  const died = fault.death();
  await Promise.race([died, deed().then(() => world.controller.idle())]);
  for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setImmediate(resolve));
  fault.disarm();
  world.events.splice(0);
  await world.kill();
  await world.settle();
  assert.deepEqual(world.events, []);
}

for (const [where, runtimes] of Object.entries({ "its own": false, "a runtime's": true })) {
  for (const [what, deed] of Object.entries(deeds)) {
    const name = `${what} in ${where} namespace: a death`;
    for (const kind of ["death before", "death after"] as const)
      for (const part of ["kernel", "store"] as const)
        test(`${name} ${kind.slice(6)} any operation of the ${part} is mended by the next start (twin)`, async () => {
          const rounds = await eachFault({ inWorld: onTwin, runtimes, part, deed }, kind, restart);
          assert.ok(rounds > 0, `${rounds} rounds`);
        });
    // Before an operation is after another: what differs is in the model.
    test(`${name} after any operation of the kernel is mended by the next start (Linux)`, async () => {
      const one: Case = { inWorld: onLinux, runtimes, part: "kernel", deed };
      const rounds = await eachFault(one, "death after", restart);
      assert.ok(rounds > 0, `${rounds} rounds`);
    });
  }
}
