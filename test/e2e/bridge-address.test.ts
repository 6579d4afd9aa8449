import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { linkOf } from "../packets/index.ts";
import { bridgeNameOf } from "./sandbox-addresses.ts";
import { withHost } from "./test-host.ts";

suite("a bridge", () => {
  test("keeps its link address when sandboxes come and go", () =>
    withHost(async ({ controller, netns }) => {
      const network = await controller.createNetwork("bridge", "net");
      const address = () => linkOf(netns.path, bridgeNameOf(network)).mac;
      const first = address();
      const names = ["a", "b", "c", "d"];
      for (const name of names) {
        await controller.createSandbox(name, { endpoints: [{ network }] });
        assert.equal(address(), first, `after ${name} came`);
      }
      for (const sandbox of controller.sandboxes()) {
        await sandbox.delete();
        await controller.idle();
        assert.equal(address(), first, "after one went");
      }
    }));
});
