import assert from "node:assert/strict";
import { test } from "node:test";
import type { ErrorCode } from "../../src/core/index.ts";
import { type Case, eachFault, onLinux, onTwin, type RuntimeNetns, repair, restart } from "./cut-off.ts";
import type { World } from "./world.ts";

/** A sandbox with an endpoint of a plugin's, whose link is moved into it, and a published port of UDP. */
async function grow({ controller }: World, netnsPath: string | undefined): Promise<void> {
  const plugged = await controller.createNetwork("plugin", "plugged");
  const bridged = await controller.createNetwork("bridge", "bridged");
  const ports = ["8081:81/udp"];
  const endpoints = [{ network: bridged, priority: 1 }, { network: plugged }];
  const place = netnsPath === undefined ? {} : { netnsPath };
  await controller.createSandbox("c1", { ports, endpoints, ...place });
}

const endpoint = ({ controller }: World, network: string) => controller.network(network).endpoint("c1");

const deeds: Readonly<Record<string, (world: World) => Promise<void>>> = {
  "delete a sandbox": async ({ controller }) => controller.sandbox("c1").delete(),
  "leave it": async (world) => endpoint(world, "plugged").leave(),
  "delete an endpoint in it": async (world) => endpoint(world, "plugged").delete({ force: true }),
  "leave by the way in": async (world) => endpoint(world, "bridged").leave(),
};

const refusedWith: readonly ErrorCode[] = ["SANDBOX_NOT_FOUND", "ENDPOINT_NOT_FOUND", "ENDPOINT_NOT_JOINED"];

async function assertMended(one: Case, ...how: readonly [Parameters<typeof eachFault>[1], typeof repair]) {
  const rounds = await eachFault(one, ...how);
  assert.ok(rounds > 0, `${rounds} rounds`);
}

for (const runtimes of [false, true]) {
  for (const [what, deed] of Object.entries(deeds)) {
    const name = `${what} in ${runtimes ? "a runtime's" : "its own"} namespace`;
    const common = {
      deed,
      refusedWith,
      grow: (world: World, { path }: RuntimeNetns) => grow(world, runtimes ? path : undefined),
    };
    for (const part of ["kernel", "store"] as const) {
      const one: Case = { ...common, inWorld: onTwin, part };
      for (const kind of ["death before", "death after"] as const)
        test(`${name}: a ${kind} any operation of the ${part} is mended by the next start (twin)`, () =>
          assertMended(one, kind, restart));
      for (const kind of ["refused", "refused from then on"] as const)
        test(`${name}: an operation of the ${part} that is ${kind} is mended by a repair (twin)`, () =>
          assertMended(one, kind, repair));
    }
    // Before an operation is after another; what else differs is in the model.
    const one: Case = { ...common, inWorld: onLinux, part: "kernel" };
    test(`${name}: a death after any operation of the kernel is mended by the next start (Linux)`, () =>
      assertMended(one, "death after", restart));
  }
}

test("a deletion in a runtime's namespace that was refused is mended by a repair (Linux)", () =>
  assertMended(
    {
      deed: async ({ controller }) => controller.sandbox("c1").delete(),
      refusedWith,
      grow: (world, { path }) => grow(world, path),
      inWorld: onLinux,
      part: "kernel",
    },
    "refused",
    repair,
  ));
