import assert from "node:assert/strict";
import { test } from "node:test";
import { hostNetns, type KernelObject } from "../../src/kernel/index.ts";
import { onLinux, restart, round } from "./cut-off.ts";
import type { World } from "./world.ts";

/** A host that is a router by one link, and for IPv4 by those to come. */
const routers: Readonly<Record<string, string>> = {
  "net/ipv4/conf/up0/forwarding": "1",
  "net/ipv4/conf/default/forwarding": "1",
  "net/ipv6/conf/up0/forwarding": "1",
};
const rest = [
  "net/ipv4/ip_forward",
  "net/ipv4/conf/up1/forwarding",
  "net/ipv6/conf/all/forwarding",
  "net/ipv6/conf/up1/forwarding",
  "net/ipv6/conf/default/forwarding",
];
const before = { ...Object.fromEntries(rest.map((key) => [key, "0"])), ...routers };

async function valuesOf({ bare }: World): Promise<Readonly<Record<string, string>>> {
  const lookUp = Object.keys(before).map(
    (key): KernelObject => ({ kind: "sysctl", netns: hostNetns, key, value: "" }),
  );
  const found = await bare.kernel.read({ namespaces: [], lookUp });
  return Object.fromEntries(
    found.flatMap(({ object }) => (object.kind === "sysctl" ? [[object.key, object.value]] : [])),
  );
}

const create = ({ controller }: World) => controller.createNetwork("bridge", "net", { ipv6: true });

async function deleteIfThere({ controller }: World): Promise<void> {
  for (const network of controller.networks()) if (network.name === "net") await network.delete();
}

interface Deed {
  readonly grow: (world: World) => Promise<unknown>;
  readonly deed: (world: World) => Promise<unknown>;
  /** The process dies after each so many operations. */
  readonly every: number;
}

const deeds: Readonly<Record<string, Deed>> = {
  created: { grow: async () => {}, deed: create, every: 6 },
  deleted: { grow: create, deed: deleteIfThere, every: 1 },
};

for (const [what, { grow, deed, every }] of Object.entries(deeds)) {
  test(`each link forwards as before, also where the process dies while a network is ${what}`, async () => {
    for (let at = 1, struck = true; struck; at += every) {
      const one = {
        inWorld: onLinux,
        part: "kernel",
        grow: async (world: World) => {
          for (const name of ["up0", "up1"]) world.hand.addUplink(name);
          for (const [key, value] of Object.entries(routers)) world.hand.setSysctl(key, value);
          assert.deepEqual(await valuesOf(world), before);
          await grow(world);
        },
      } as const;
      ({ struck } = await round(one, async (world, fault) => {
        fault.arm(at, "death after");
        await restart(world, fault, () => deed(world));
        await deleteIfThere(world);
        await world.settle();
        assert.deepEqual(await valuesOf(world), before, `after operation ${at}`);
      }));
      assert.ok(struck || at > 3, "nothing was cut off");
    }
  });
}
