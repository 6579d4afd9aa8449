import assert from "node:assert/strict";
import { test } from "node:test";
import { endpointOption } from "../../src/cnm/index.ts";
import { isWeftError } from "../../src/core/index.ts";
import { type Case, eachFault, type Mend, onTwin, repair, restart } from "./cut-off.ts";

type Deed = Omit<Case, "inWorld" | "part"> & { readonly name: string };

const madeByHalves = "making a sandbox with settings of its own";

/** What can be cut off, and is then whole or absent; done again, it is whole. */
const deeds: readonly Deed[] = [
  {
    name: "making weft's own networks",
    grow: async () => {},
    deed: ({ controller }) => controller.ensurePredefined({ bridge: { mtu: 1400 } }),
    refusedWith: [],
  },
  {
    name: "making the default bridge anew",
    grow: ({ controller }) => controller.ensurePredefined({ bridge: { bip: "10.5.0.1/24" } }),
    deed: ({ controller }) => controller.ensurePredefined({ bridge: { bip: "10.5.0.1/24", icc: false } }),
    refusedWith: [],
  },
  {
    name: "removing the default bridge",
    grow: ({ controller }) => controller.ensurePredefined({ bridge: {} }),
    deed: ({ controller }) => controller.ensurePredefined({ bridge: "none" }),
    refusedWith: [],
  },
  {
    name: "making a network from a configuration network",
    grow: ({ controller }) =>
      controller.createNetwork("bridge", "settings", {
        configOnly: true,
        ipam: { subnets: [{ subnet: "10.6.0.0/24" }] },
      }),
    deed: ({ controller }) => controller.createNetwork("bridge", "net", { configFrom: "settings" }),
    refusedWith: ["NETWORK_EXISTS"],
  },
  {
    name: "making a configuration network",
    grow: async () => {},
    deed: ({ controller }) => controller.createNetwork("bridge", "settings", { configOnly: true }),
    refusedWith: ["NETWORK_EXISTS"],
  },
  {
    name: "removing a configuration network",
    grow: ({ controller }) => controller.createNetwork("bridge", "settings", { configOnly: true }),
    deed: async ({ controller }) => controller.network("settings").delete(),
    refusedWith: ["NETWORK_NOT_FOUND"],
  },
  {
    name: madeByHalves,
    grow: ({ controller }) =>
      controller.createNetwork("bridge", "net", {
        ipv6: true,
        ipam: { subnets: [{ subnet: "10.7.0.0/24" }, { subnet: "fd07::/64" }] },
      }),
    deed: ({ controller }) =>
      controller.createSandbox("c1", {
        sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
        endpoints: [
          {
            network: controller.network("net"),
            linkLocalAddresses: ["169.254.1.1", "fe80::7"],
            options: {
              [endpointOption.ifname]: "lan0",
              [endpointOption.sysctls]: "net.ipv6.conf.IFNAME.accept_ra=2",
            },
          },
        ],
      }),
    refusedWith: ["SANDBOX_EXISTS"],
  },
];

/** As {@link repair}; what could not be removed keeps its addresses, and the next from having them. */
const mend: Mend = (world, fault, deed) =>
  repair(world, fault, () =>
    deed().catch((error: unknown) => {
      if (!isWeftError(error, "POOL_OVERLAP")) throw error;
    }),
  );

for (const { name, ...deed } of deeds) {
  test(`${name}, cut off anywhere by a death, is whole or absent, and can be done`, async () => {
    for (const part of ["kernel", "store"] as const) {
      for (const kind of ["death before", "death after"] as const) {
        const faults = await eachFault({ inWorld: onTwin, part, ...deed }, kind, restart);
        assert.ok(faults > 0 || part === "kernel");
      }
    }
  });

  // What was made by halves leaves traces of its taking back, which faults.test.ts looks at.
  if (name === madeByHalves) continue;

  test(`${name}, refused anywhere, is whole or absent, and can be done`, async () => {
    for (const part of ["kernel", "store"] as const)
      await eachFault({ inWorld: onTwin, part, ...deed }, "refused", mend);
  });
}
