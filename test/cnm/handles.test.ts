import assert from "node:assert/strict";
import { isWeftError } from "../../src/core/index.ts";
import { hostLinkName } from "../../src/drivers/bridge/plan.ts";
import { tablesOf } from "./tables-text.ts";
import { onBoth } from "./world.ts";

onBoth("an endpoint tells everything about itself, in a sandbox and out of it", async ({ controller }) => {
  const network = await controller.createNetwork("bridge", "net", {
    ipv6: true,
    ipam: { subnets: [{ subnet: "10.60.0.0/24" }, { subnet: "fd00:60::/64" }] },
  });
  const endpoint = await network.createEndpoint("e1", { aliases: ["db"], macAddress: "02:00:00:00:00:05" });
  const alone = {
    id: endpoint.id,
    name: "e1",
    network: network.id,
    macAddress: "02:00:00:00:00:05",
    ipv4Address: "10.60.0.2/24",
    ipv6Address: "fd00:60::2/64",
    linkLocalAddresses: [],
    gateways: [],
    sandbox: undefined,
    interfaceName: undefined,
    aliases: ["db"],
    driverInfo: {
      bridge: `br-${network.id.slice(0, 12)}`,
      hostInterface: hostLinkName(endpoint.id),
      families: [4, 6],
    },
  };
  assert.deepEqual(await endpoint.info(), alone);
  const sandbox = await controller.createSandbox("c1");
  await endpoint.join(sandbox);
  assert.deepEqual(await network.endpoint("e1").info(), {
    ...alone,
    gateways: ["10.60.0.1", "fd00:60::1"],
    sandbox: sandbox.id,
    interfaceName: "eth0",
  });
  assert.deepEqual(
    sandbox.endpoints().map(({ name }) => name),
    ["e1"],
  );
  await endpoint.leave();
  assert.deepEqual(await endpoint.info(), alone);
  await endpoint.delete();
  await assert.rejects(endpoint.info(), (error) => isWeftError(error, "ENDPOINT_NOT_FOUND"));
});

onBoth("deleting by force leaves first, and a sandbox takes its endpoints along", async (world) => {
  const { controller } = world;
  const network = await controller.createNetwork("bridge", "net");
  const sandbox = await controller.createSandbox("c1", { hostname: "one" });
  await world.settle();
  const before = await tablesOf(world);
  const endpoint = await sandbox.connect(network, { name: "e1" });
  await endpoint.delete({ force: true });
  await assert.rejects(endpoint.delete({ force: true }), (error) => isWeftError(error, "ENDPOINT_NOT_FOUND"));
  await world.settle();
  assert.deepEqual(await tablesOf(world), before);
  await sandbox.connect(network, { name: "e1" });
  await network.createEndpoint("stays");
  await sandbox.delete();
  assert.deepEqual(
    network.endpoints().map(({ name }) => name),
    ["stays"],
  );
  await assert.rejects(sandbox.delete(), (error) => isWeftError(error, "SANDBOX_NOT_FOUND"));
  assert.throws(
    () => sandbox.info(),
    (error) => isWeftError(error, "SANDBOX_NOT_FOUND"),
  );
});

onBoth("a sandbox made with its endpoints has them in one step", async ({ controller }) => {
  const front = await controller.createNetwork("bridge", "front");
  const back = await controller.createNetwork("bridge", "back", { internal: true });
  const sandbox = await controller.createSandbox("c1", {
    endpoints: [{ network: back }, { network: front, name: "way-out", interfaceName: "wan0", priority: 3 }],
  });
  assert.deepEqual(
    sandbox.endpoints().map(({ name }) => name),
    ["c1", "way-out"],
  );
  assert.equal((await front.endpoint("way-out").info()).interfaceName, "wan0");
  assert.deepEqual((await back.endpoint("c1").info()).gateways, []);
});

onBoth("everything that is asked for before closing is answered before it is closed", async (world) => {
  const creating = world.controller.createNetwork("bridge", "net");
  await world.controller.close();
  await creating;
  await world.open();
  assert.equal(world.controller.network("net").info().state, "ready");
  assert.deepEqual(await world.controller.drift(), []);
});
