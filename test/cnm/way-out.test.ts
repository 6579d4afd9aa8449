import assert from "node:assert/strict";
import { test } from "node:test";
import type { ErrorCode } from "../../src/core/index.ts";
import type { FakePluginDriver, Verb } from "../drivers/fake-plugin-driver.ts";
import { eachFault, onLinux, onTwin, restart, round } from "./cut-off.ts";
import type { World } from "./world.ts";

/** A sandbox on one network of a plugin's, and on the other with `both`. */
function grow(both: boolean) {
  return async ({ controller }: World): Promise<void> => {
    const first = await controller.createNetwork("plugin", "first");
    const second = await controller.createNetwork("plugin", "second");
    const endpoints = [
      { network: first, name: "e1" },
      ...(both ? [{ network: second, name: "e2", priority: 1 }] : []),
    ];
    await controller.createSandbox("c1", { endpoints });
  };
}

interface Deed {
  readonly both: boolean;
  /** What the plugin hears. */
  readonly verbs: readonly Verb[];
  readonly run: (world: World) => Promise<unknown>;
}

const deeds: Readonly<Record<string, Deed>> = {
  "is taken over by a join": {
    verbs: ["revokeExternalConnectivity", "programExternalConnectivity"],
    both: false,
    run: async ({ controller }) =>
      controller.sandbox("c1").connect(controller.network("second"), { name: "e2", priority: 1 }),
  },
  "goes over when its endpoint leaves": {
    verbs: ["revokeExternalConnectivity", "programExternalConnectivity"],
    both: true,
    run: async ({ controller }) => controller.network("second").endpoint("e2").leave(),
  },
  "stays when another endpoint leaves": {
    verbs: [],
    both: true,
    run: async ({ controller }) => controller.network("first").endpoint("e1").leave(),
  },
  "ends with its sandbox": {
    both: true,
    verbs: ["revokeExternalConnectivity"],
    run: async ({ controller }) => controller.sandbox("c1").delete(),
  },
};

const refusedWith: readonly ErrorCode[] = [
  "SANDBOX_NOT_FOUND",
  "ENDPOINT_NOT_JOINED",
  "ENDPOINT_EXISTS",
  "ENDPOINT_JOINED",
];

/** Does the deed until the plugin hangs, and starts again. */
async function dieAt(world: World, plugin: FakePluginDriver, verb: Verb, deed: Deed["run"]): Promise<void> {
  plugin.misdeed = { verb, how: "hangs" };
  const hung = new Promise<void>((resolve) => {
    plugin.onHang = resolve;
  });
  await Promise.race([hung, deed(world).then(() => assert.fail("the plugin had no occasion"))]);
  await world.kill();
  await world.settle();
  assert.deepEqual(world.events, []);
}

for (const [what, { both, verbs, run: deed }] of Object.entries(deeds)) {
  for (const verb of verbs) {
    test(`a way out that ${what} is known to its plugin after a death at ${verb} (twin)`, async () => {
      const place = { inWorld: onTwin, part: "kernel", grow: grow(both) } as const;
      const { found: expected } = await round(place, deed);
      const { found } = await round(place, (world, _fault, plugin) => dieAt(world, plugin, verb, deed));
      assert.deepEqual(found, expected);
    });
  }
  for (const kind of ["death before", "death after"] as const) {
    for (const part of ["kernel", "store"] as const) {
      test(`a way out that ${what} is known to its plugin after a ${kind} any operation of the ${part} (twin)`, async () => {
        const one = { inWorld: onTwin, part, grow: grow(both), deed, refusedWith };
        assert.ok((await eachFault(one, kind, restart)) > 0);
      });
    }
  }
  test(`a way out that ${what} is known to its plugin after a death after any transaction (Linux)`, async () => {
    const one = { inWorld: onLinux, part: "store", grow: grow(both), deed, refusedWith } as const;
    assert.ok((await eachFault(one, "death after", restart)) > 0);
  });
}
