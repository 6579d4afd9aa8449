import assert from "node:assert/strict";
import { isWeftError } from "../../src/core/index.ts";
import { bridgeName, options, subnets } from "./refused.ts";
import { refusedEndpoints } from "./refused-endpoints.ts";
import { refusedNetworks } from "./refused-networks.ts";
import { refusedSandboxes } from "./refused-sandboxes.ts";
import { tablesOf } from "./tables-text.ts";
import { onBoth, type World } from "./world.ts";

async function furnish({ controller }: World): Promise<void> {
  const network = await controller.createNetwork("bridge", "there", {
    ...subnets({ subnet: "10.200.0.0/24" }),
    ...options(bridgeName, "br-there"),
  });
  await controller.createNetwork("bridge", "other", subnets({ subnet: "10.210.0.0/24" }));
  await controller.createNetwork(
    "bridge",
    "full",
    subnets({ subnet: "10.220.0.0/31", gateway: "10.220.0.0" }),
  );
  await controller.network("full").createEndpoint("only");
  const sandbox = await controller.createSandbox("c1");
  await controller.createSandbox("c2");
  await sandbox.connect(network, { name: "e1" });
  await network.createEndpoint("e2");
}

for (const [what, list] of Object.entries({
  networks: refusedNetworks,
  endpoints: refusedEndpoints,
  sandboxes: refusedSandboxes,
})) {
  onBoth(
    `bad input about ${what} is refused with its words, and host and store are left as they were`,
    async (world) => {
      await furnish(world);
      await world.settle();
      const before = await tablesOf(world);
      for (const [name, attempt, code, words] of list) {
        await assert.rejects(
          async () => attempt(world.controller),
          (error) => {
            assert.ok(isWeftError(error), `${name}: ${error}`);
            assert.equal(error.code, code, `${name}: ${error.message}`);
            assert.match(error.message, words, name);
            return true;
          },
          name,
        );
        await world.settle();
        assert.deepEqual(await tablesOf(world), before, name);
      }
      assert.deepEqual(world.events, []);
      // Nothing was held back either: what was refused can be had in another way.
      await world.controller.createNetwork("bridge", "n", subnets({ subnet: "10.201.0.0/24" }));
      await world.controller.createSandbox("c", { endpoints: [{ network: world.controller.network("n") }] });
    },
  );
}

onBoth("after it was closed a controller refuses everything", async (world) => {
  await furnish(world);
  const { controller } = world;
  const network = controller.network("there");
  const endpoint = network.endpoint("e1");
  const sandbox = controller.sandbox("c1");
  const before = await tablesOf(world);
  await controller.close();
  await controller.close();
  const attempts: readonly (() => Promise<unknown>)[] = [
    () => controller.createNetwork("bridge", "n"),
    () => controller.createSandbox("c"),
    () => controller.drift(),
    () => controller.repair(),
    () => controller.purge(),
    () => network.createEndpoint("e"),
    () => network.delete(),
    () => endpoint.join(sandbox),
    () => endpoint.leave(),
    () => endpoint.delete({ force: true }),
    () => sandbox.connect(network),
    () => sandbox.delete(),
  ];
  for (const attempt of attempts) {
    await assert.rejects(attempt, (error) => isWeftError(error, "CONTROLLER_CLOSED"));
  }
  await world.open();
  await world.settle();
  assert.deepEqual(await tablesOf(world), before);
});
