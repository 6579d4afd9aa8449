import assert from "node:assert/strict";
import { test } from "node:test";
import { closeFd, openUdpAndTcp } from "../../src/kernel/index.ts";
import { withHost } from "./test-host.ts";

const resolverPort = 61053;

test("a resolver whose port a program took while weft was away listens on another one", async () => {
  await withHost(async (host) => {
    const network = await host.controller.createNetwork("bridge", "front");
    const endpoints = [{ network }];
    const web = await host.controller.createSandbox("web", { endpoints });
    const client = await host.controller.createSandbox("client", { endpoints });
    await host.controller.close();

    const taken = openUdpAndTcp(client.key, [0, 0, 0, 0], resolverPort);
    try {
      const controller = await host.open();
      assert.equal(controller.sandbox("client").info().dnsPort, resolverPort + 1);
      assert.equal(controller.sandbox("web").info().dnsPort, resolverPort);
      await host.output(client, "busybox", "ping", "-c", "1", "-W", "1", "web");
      await host.output(web, "busybox", "ping", "-c", "1", "-W", "1", "client");
      assert.deepEqual(await controller.drift(), []);
    } finally {
      closeFd(taken.udpFd);
      closeFd(taken.tcpFd);
    }
  });
});
