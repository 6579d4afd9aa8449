import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../src/core/index.ts";
import { onBoth, type World, withLinux } from "./world.ts";

const hostsOf = async ({ controller }: World) => {
  const sandbox = await controller.createSandbox("c1", {
    extraHosts: { host: ["host-gateway", "192.0.2.7"], other: "fd00::9" },
  });
  return sandbox.info().extraHosts.map(({ name, address }) => `${name} ${address}`);
};

onBoth("host-gateway is what the network bridge has for its gateways", async (world) => {
  await world.controller.ensurePredefined({
    bridge: { bip: "10.5.0.1/24", bip6: "fd05::1/64", ipv6: true, "default-gateway": "10.5.0.9" },
  });
  const lines = ["host 10.5.0.1", "host fd05::1", "host 192.0.2.7", "other fd00::9"];
  assert.deepEqual(await hostsOf(world), lines);
});

onBoth(
  "host-gateway is what is configured, above all",
  async (world) => {
    await world.controller.ensurePredefined({ bridge: {} });
    assert.deepEqual(await hostsOf(world), ["host 192.0.2.1", "host 192.0.2.7", "other fd00::9"]);
  },
  { hostGatewayAddresses: [parseAddress("192.0.2.1")] },
);

test("a sysctl that the kernel has not is refused, and leaves nothing", () =>
  withLinux(async (world) => {
    await assert.rejects(
      world.controller.createSandbox("c1", { sysctls: { "net.ipv4.no_such_thing": "1" } }),
      /^WeftError: sysctl "net\.ipv4\.no_such_thing" is not allowed: /,
    );
    await world.settle();
    assert.deepEqual(world.controller.sandboxes(), []);
    assert.deepEqual(world.events, []);
  }));
