import assert from "node:assert/strict";
import { test } from "node:test";
import { isKernelError } from "../../src/index.ts";
import type { TestNetns } from "../netns-fixture.ts";
import { withHost } from "./test-host.ts";

function linkNames(netns: TestNetns): readonly string[] {
  const lines = netns.exec("ip", "-oneline", "link").trim().split("\n");
  return lines.map((line) => line.split(": ")[1] ?? "");
}

test("a sandbox lives in a namespace that a runtime made, and leaves it as it was", async () => {
  await withHost(async (host) => {
    const network = await host.controller.createNetwork("bridge", "front");
    const endpoints = [{ network }];
    await host.controller.createSandbox("web", { endpoints });
    const before = linkNames(host.far);
    const own = await host.controller.createSandbox("own", { netnsPath: host.far.path, endpoints });
    assert.match(host.far.exec("ip", "-oneline", "address", "show", "eth0"), /10\.0\.0\.3\/24/);
    host.far.exec("busybox", "ping", "-c", "1", "-W", "1", "10.0.0.2");
    assert.deepEqual(await host.controller.drift(), []);

    await own.delete();
    await host.controller.idle();
    assert.deepEqual(linkNames(host.far), before);
    assert.equal(host.far.exec("nft", "list", "ruleset"), "");
  });
});

test("the host's own namespace is refused as a sandbox's, and nothing of the host is lost", async () => {
  await withHost(async (host) => {
    const network = await host.controller.createNetwork("bridge", "front");
    await host.controller.createSandbox("web", { endpoints: [{ network }] });
    await assert.rejects(
      host.controller.createSandbox("bad", { netnsPath: host.netns.path }),
      (error) => isKernelError(error, "EINVAL") && /the host's own namespace/.test(error.message),
    );
    assert.deepEqual(await host.controller.repair(), []);
    assert.deepEqual(await host.controller.drift(), []);
    assert.deepEqual(
      host.controller.sandboxes().map(({ containerId }) => containerId),
      ["web"],
    );
  });
});
