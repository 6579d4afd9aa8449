import assert from "node:assert/strict";
import { test } from "node:test";
import { changedSettings, defaultBridgeOptions, settingsOf } from "../../src/cnm/default-bridge.ts";
import { onBoth } from "./world.ts";

test("settings that come to the same are the same", () => {
  assert.deepEqual(settingsOf({ bridge: "weft0", icc: true, "ip-masq": true, ipv6: false, mtu: 0 }), {});
  assert.deepEqual(changedSettings(settingsOf({ mtu: 1400 }), settingsOf({ icc: false })), [
    "icc (false, was true)",
    "mtu (not set, was 1400)",
  ]);
});

test("settings become a network's options", () => {
  assert.deepEqual(
    defaultBridgeOptions({
      bip: "10.5.0.9/24",
      "fixed-cidr": "10.5.0.0/25",
      bip6: "fd05::1/64",
      "default-gateway-v6": "fd05::ff",
      ipv6: true,
      ip: "192.0.2.1",
    }),
    {
      options: {
        "com.docker.network.bridge.default_bridge": "true",
        "com.docker.network.bridge.name": "weft0",
        "com.docker.network.bridge.enable_icc": "true",
        "com.docker.network.bridge.enable_ip_masquerade": "true",
        "com.docker.network.bridge.host_binding_ipv4": "192.0.2.1",
      },
      ipv6: true,
      ipam: {
        subnets: [
          { subnet: "10.5.0.0/24", ipRange: "10.5.0.0/25", gateway: "10.5.0.9" },
          { subnet: "fd05::/64", gateway: "fd05::1", auxAddresses: { DefaultGatewayIPv6: "fd05::ff" } },
        ],
      },
    },
  );
});

onBoth(
  "networks of these names from before become weft's own, but for one of another driver",
  async (world) => {
    const { controller } = world;
    await controller.createNetwork("host", "host");
    await controller.createNetwork("bridge", "none");
    await controller.createNetwork("bridge", "bridge");
    await controller.network("bridge").createEndpoint("e");
    await assert.rejects(controller.ensurePredefined({ bridge: {} }), {
      code: "NETWORK_EXISTS",
      message: /^network with name none already exists, of driver bridge/,
    });
    await controller.network("none").delete();
    await assert.rejects(controller.ensurePredefined({ bridge: {} }), {
      code: "NETWORK_HAS_ENDPOINTS",
      message: /on it are e;/,
    });
    await controller.network("bridge").endpoint("e").delete();
    await controller.ensurePredefined({ bridge: {} });
    await world.kill();
    const { options, settings } = world.controller.network("default").info();
    assert.equal(options["com.docker.network.bridge.name"], "weft0");
    assert.deepEqual(settings, {});
    await assert.rejects(world.controller.network("host").delete(), { code: "NETWORK_PREDEFINED" });
    assert.deepEqual(await world.controller.drift(), []);
  },
);

onBoth("two at once, and one after a death in between, make one of each", async (world) => {
  const two = [
    world.controller.ensurePredefined({ bridge: {} }),
    world.controller.ensurePredefined({ bridge: {} }),
  ];
  await Promise.all(two);
  await world.controller.ensurePredefined({ bridge: { mtu: 1400 } });
  await world.kill();
  await world.controller.ensurePredefined({ bridge: { mtu: 1400 } });
  const names = world.controller.networks().map(({ name }) => name);
  assert.deepEqual(names.sort(), ["bridge", "host", "none"]);
});
