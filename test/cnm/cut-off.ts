import assert from "node:assert/strict";
import { type ErrorCode, isWeftError } from "../../src/core/index.ts";
import { FakePluginDriver } from "../drivers/fake-plugin-driver.ts";
import { withNetns } from "../netns-fixture.ts";
import { Fault, type FaultKind, FaultyKernel, FaultyStore } from "./faults.ts";
import { tablesOf } from "./tables-text.ts";
import { TwinKernel } from "./twin-host.ts";
import { type World, type WorldOptions, withLinux, withTwin } from "./world.ts";

/** A namespace that a runtime made: its path, and what weft has in it. */
export interface RuntimeNetns {
  readonly path: string;
  readonly holds: (world: World) => readonly string[];
}

/** Runs a body in a world with a runtime's namespace. */
export type InWorld = (
  body: (world: World, netns: RuntimeNetns) => Promise<void>,
  options: WorldOptions,
) => Promise<void>;

/** In memory. */
export const onTwin: InWorld = (body, options) => {
  const path = "/proc/77/ns/net";
  const holds = ({ twin }: World) =>
    twin.all().flatMap(({ object }) => {
      const inside = object.kind !== "file" && object.kind !== "up" && object.netns === path;
      return inside ? [object.kind] : [];
    });
  return withTwin((world) => body(world, { path, holds }), options);
};

/** On this machine's kernel. */
export const onLinux: InWorld = (body, options) =>
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

async function everything(world: World, plugin: FakePluginDriver, netns: RuntimeNetns) {
  await world.settle();
  return [
    // A plugin's link is named for its endpoint, which may have been made twice.
    ...(await tablesOf(world)).map((line) => line.replace(/pg-[0-9a-f]{8}/, "pg-link")),
    ...[...plugin.state].map((one) => `plugin ${one}`).sort(),
    ...netns.holds(world).map((one) => `runtime's ${one}`),
    ...forgottenFlows(world),
  ];
}

/** Ports and addresses whose flows were forgotten since the deed began; in memory it is known. */
function forgottenFlows({ bare: { kernel } }: World): readonly string[] {
  const effects = kernel instanceof TwinKernel ? kernel.effects : [];
  const forgotten = effects.flatMap((one) =>
    one.effect === "forget-flows" ? [one.originalPort ?? one.originalSource ?? one.replySource] : [],
  );
  return [...new Set(forgotten)].map((what) => `flows of ${what} forgotten`).sort();
}

/** A deed in a world of its own, and what of that world has faults. */
export interface Case {
  readonly inWorld: InWorld;
  readonly part: "kernel" | "store";
  /** What is there before the deed. */
  readonly grow: (world: World, netns: RuntimeNetns) => Promise<unknown>;
  readonly deed: (world: World) => Promise<unknown>;
  /** What the deed is refused with when it was done already. */
  readonly refusedWith: readonly ErrorCode[];
}

/** Runs `body` in a world before the deed. Gives whether its fault struck, and what is there at the end. */
export async function round(
  { inWorld, part, grow }: Omit<Case, "deed" | "refusedWith">,
  body: (world: World, fault: Fault, plugin: FakePluginDriver) => Promise<unknown>,
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
    await grow(world, netns);
    await world.settle();
    if (world.bare.kernel instanceof TwinKernel) world.bare.kernel.effects.splice(0);
    assert.ok(plugin);
    await body(world, fault, plugin);
    found = await everything(world, plugin, netns);
    assert.deepEqual(
      plugin.calls.filter((call) => call.endsWith("not given back")),
      [],
    );
  }, options);
  return { struck: fault.struck, found };
}

/**
 * Does the deed without a fault, and then with one at its first operation, its second, and so on until it
 * meets none, each mended by `mend`. What is there in the end must be the same. Gives how many there were.
 */
export async function eachFault(one: Case, kind: FaultKind, mend: Mend): Promise<number> {
  const { found: expected } = await round(one, (world) => one.deed(world));
  for (let at = 1; ; at++) {
    const { struck, found } = await round(one, async (world, fault) => {
      fault.arm(at, kind);
      await mend(world, fault, () => one.deed(world));
      assert.deepEqual(await world.controller.drift(), []);
      // What was not recorded was never begun.
      await one.deed(world).catch((error: unknown) => {
        assert.ok(isWeftError(error) && one.refusedWith.includes(error.code), String(error));
      });
    });
    assert.deepEqual(found, expected, `${kind}, fault at ${at}`);
    if (!struck) return at - 1;
  }
}

/** Does a deed with a fault, and whatever mends that. */
export type Mend = (world: World, fault: Fault, deed: () => Promise<unknown>) => Promise<void>;

/** For a process that dies: the next one opens the controller. */
export const restart: Mend = async (world, fault, deed) => {
  const died = fault.death();
  await Promise.race([died, deed().then(() => world.controller.idle())]);
  for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setImmediate(resolve));
  fault.disarm();
  world.events.splice(0);
  await world.kill();
  await world.settle();
  assert.deepEqual(world.events, []);
};

/** For refusals: the same controller repairs. */
export const repair: Mend = async (world, fault, deed) => {
  await deed().catch((error: unknown) => {
    assert.ok(isWeftError(error, "STORE") || isWeftError(error, "KERNEL"), String(error));
  });
  await world.controller.idle();
  fault.disarm();
  assert.deepEqual(await world.controller.repair(), []);
};
