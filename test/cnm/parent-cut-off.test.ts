import { test } from "node:test";
import { type Case, eachFault, onLinux, onTwin, repair, restart } from "./cut-off.ts";
import type { World } from "./world.ts";

type Deed = Omit<Case, "inWorld" | "part">;

async function make({ controller }: World, parent: string, mode = "bridge"): Promise<void> {
  await controller.createNetwork("macvlan", "net", {
    options: { parent, macvlan_mode: mode },
    ipam: { subnets: [{ subnet: "192.168.57.0/24" }] },
  });
}

async function makeAll(world: World, parent: string, mode?: string): Promise<void> {
  world.hand.addUplink("eth0");
  await make(world, parent, mode);
  const box = await world.controller.createSandbox("box");
  await box.connect(world.controller.network("net"), { name: "e1" });
}

/** What is done with a network on a parent. */
const deeds = (parent: string): Readonly<Record<string, Deed>> => ({
  "make a network": {
    grow: async ({ hand }) => hand.addUplink("eth0"),
    deed: (world) => make(world, parent),
    refusedWith: ["NETWORK_EXISTS"],
  },
  "delete a network": {
    grow: async (world) => {
      world.hand.addUplink("eth0");
      await make(world, parent);
    },
    deed: async ({ controller }) => controller.network("net").delete(),
    refusedWith: ["NETWORK_NOT_FOUND"],
  },
  "leave a network": {
    grow: (world) => makeAll(world, parent),
    deed: async ({ controller }) => controller.network("net").endpoint("e1").leave(),
    refusedWith: ["ENDPOINT_NOT_JOINED"],
  },
  "leave a parent that is one's own": {
    grow: (world) => makeAll(world, parent, "passthru"),
    deed: async ({ controller }) => controller.network("net").endpoint("e1").leave(),
    refusedWith: ["ENDPOINT_NOT_JOINED"],
  },
});

for (const [name, deed] of Object.entries(deeds("eth0.10"))) {
  for (const kind of ["death before", "death after"] as const)
    for (const part of ["kernel", "store"] as const)
      test(`${name} on a VLAN: a ${kind} any operation of the ${part} is mended by the next start (twin)`, async () => {
        await eachFault({ ...deed, inWorld: onTwin, part }, kind, restart);
      });
  for (const part of ["kernel", "store"] as const)
    test(`${name} on a VLAN: an operation of the ${part} that is refused is mended by a repair (twin)`, async () => {
      await eachFault({ ...deed, inWorld: onTwin, part }, "refused", repair);
    });
}

for (const [name, deed] of Object.entries(deeds("eth0")))
  for (const kind of ["death before", "death after"] as const)
    test(`${name} on a link: a ${kind} any operation of the kernel is mended by the next start (Linux)`, async () => {
      await eachFault({ ...deed, inWorld: onLinux, part: "kernel" }, kind, restart);
    });

test("a changed MTU: a death before or after any operation is mended by the next start (twin)", async () => {
  const follow: Deed = {
    grow: async (world) => {
      await makeAll(world, "eth0.10");
      world.hand.setMtu("eth0", 2000);
    },
    deed: ({ controller }) => controller.repair(),
    refusedWith: [],
  };
  for (const kind of ["death before", "death after"] as const)
    for (const part of ["kernel", "store"] as const)
      await eachFault({ ...follow, inWorld: onTwin, part }, kind, restart);
});
