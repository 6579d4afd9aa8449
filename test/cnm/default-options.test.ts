import assert from "node:assert/strict";
import { onBoth } from "./world.ts";

const mtu = "com.docker.network.driver.mtu";

onBoth(
  "a driver's default options are for networks that say nothing of them, and for no configuration network",
  async ({ controller }) => {
    const of = async (name: string, more: Parameters<typeof controller.createNetwork>[2] = {}) =>
      (await controller.createNetwork("bridge", name, more)).info().options;
    assert.deepEqual(await of("plain"), { [mtu]: "1300" });
    assert.deepEqual(await of("own", { options: { [mtu]: "1280" } }), { [mtu]: "1280" });
    assert.deepEqual(await of("settings", { configOnly: true }), {});
    assert.deepEqual(await of("made", { configFrom: "settings" }), {});
    assert.deepEqual((await controller.createNetwork("null", "none")).info().options, {});
    await controller.network("none").delete();
    await controller.ensurePredefined({ bridge: {} });
    assert.equal(controller.network("bridge").info().options[mtu], undefined);
  },
  { defaultNetworkOptions: { bridge: { [mtu]: "1300" } } },
);
