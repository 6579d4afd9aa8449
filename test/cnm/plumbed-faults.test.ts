import { test } from "node:test";
import { bridgeOption } from "../../src/drivers/index.ts";
import { type Case, eachFault, onLinux, onTwin, repair, restart } from "./cut-off.ts";
import type { World } from "./world.ts";

/** The wire that the network's bridge gets a port to; somebody else's, and down. */
const parent = "eth2";

async function make({ controller }: World): Promise<void> {
  await controller.createNetwork("bridge", "plumbed", {
    options: { [bridgeOption.name]: "brnet", [bridgeOption.parent]: parent },
    ipam: { subnets: [{ subnet: "192.168.57.0/24" }] },
  });
}

const deeds: Readonly<Record<string, Omit<Case, "inWorld" | "part">>> = {
  "make a network with a parent": {
    grow: async ({ hand }) => hand.addVeth(parent),
    deed: make,
    refusedWith: ["NETWORK_EXISTS"],
  },
  "delete a network with a parent": {
    grow: async (world) => {
      world.hand.addVeth(parent);
      await make(world);
    },
    deed: async ({ controller }) => controller.network("plumbed").delete(),
    refusedWith: ["NETWORK_NOT_FOUND"],
  },
};

for (const [name, deed] of Object.entries(deeds)) {
  for (const [where, inWorld] of Object.entries({ twin: onTwin, Linux: onLinux })) {
    for (const kind of ["death before", "death after"] as const)
      test(`${name}: a ${kind} any operation of the kernel is mended by the next start (${where})`, async () => {
        await eachFault({ ...deed, inWorld, part: "kernel" }, kind, restart);
      });
  }
  for (const kind of ["death before", "death after"] as const)
    test(`${name}: a ${kind} any transaction is mended by the next start`, async () => {
      await eachFault({ ...deed, inWorld: onTwin, part: "store" }, kind, restart);
    });
  for (const part of ["kernel", "store"] as const)
    test(`${name}: an operation of the ${part} that is refused is mended by a repair`, async () => {
      await eachFault({ ...deed, inWorld: onTwin, part }, "refused", repair);
    });
}
