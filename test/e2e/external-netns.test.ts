import assert from "node:assert/strict";
import { symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Controller, isWeftError } from "../../src/index.ts";
import { unmountPrivateFolder } from "../../src/kernel/index.ts";
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
      (error) => isWeftError(error, "INVALID_OPTION") && /the host's own namespace/.test(error.message),
    );
    assert.deepEqual(await host.controller.repair(), []);
    assert.deepEqual(await host.controller.drift(), []);
    assert.deepEqual(
      host.controller.sandboxes().map(({ containerId }) => containerId),
      ["web"],
    );
  });
});

test("a namespace is one sandbox's, by whatever path it is named", async () => {
  await withHost(async (host) => {
    await host.controller.createSandbox("own", { netnsPath: host.far.path });
    const alias = join(host.folder, "alias");
    symlinkSync(host.far.path, alias);
    await assert.rejects(
      host.controller.createSandbox("second", { netnsPath: alias }),
      (error) =>
        isWeftError(error, "SANDBOX_EXISTS") && /sandbox own is in the namespace/.test(error.message),
    );
    await host.controller.sandbox("own").delete();
    await host.controller.createSandbox("second", { netnsPath: alias });
    await host.controller.idle();
    assert.deepEqual(await host.controller.drift(), []);
    assert.match(host.far.exec("nft", "list", "tables"), /table ip weft/);
  });
});

test("of two sandboxes that are made at once in one namespace, one is refused, which another may follow", async () => {
  await withHost(async (host) => {
    const network = await host.controller.createNetwork("bridge", "front");
    const make = (name: string, endpoints: readonly { network: typeof network }[]) =>
      host.controller.createSandbox(name, { netnsPath: host.far.path, endpoints });
    for (const endpoints of [[], [{ network }]]) {
      const outcomes = await Promise.allSettled([make("a", endpoints), make("b", endpoints), make("c", [])]);
      const refusals = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
      assert.equal(refusals.length, 2);
      for (const refusal of refusals) {
        assert.ok(isWeftError(refusal, "SANDBOX_EXISTS"), String(refusal));
        assert.match(
          refusal.message,
          /sandbox a is in the namespace at .* already: one namespace is one sandbox$/,
        );
      }
      assert.deepEqual(
        host.controller.sandboxes().map(({ containerId }) => containerId),
        ["a"],
      );
      assert.deepEqual(await host.controller.drift(), []);
      await host.controller.sandbox("a").delete();
    }
  });
});

test("a namespace that weft made is one sandbox's too, by whatever path", async () => {
  await withHost(async (host) => {
    const own = await host.controller.createSandbox("own");
    const alias = join(host.folder, "alias");
    symlinkSync(own.key, alias);
    for (const netnsPath of [own.key, alias]) {
      await assert.rejects(
        host.controller.createSandbox("second", { netnsPath }),
        (error) =>
          isWeftError(error, "SANDBOX_EXISTS") && /sandbox own is in the namespace/.test(error.message),
      );
    }
    assert.deepEqual(await host.controller.drift(), []);
  });
});

test("another namespace behind the path of a sandbox's is not taken for it", async () => {
  await withHost(async (host) => {
    const path = join(host.folder, "runtime");
    symlinkSync(host.far.path, path);
    const events: string[] = [];
    await host.controller.createSandbox("own", { netnsPath: path });
    await host.controller.close();
    // As after a boot: what weft mounted is gone, and the path leads to somebody else.
    unmountPrivateFolder(join(host.root, "run"));
    unlinkSync(path);
    symlinkSync(host.outside.path, path);
    const controller = await Controller.open({
      ...host.options,
      onEvent: (event) => events.push(event.event),
    });
    assert.ok(events.includes("restore-failed"), events.join(" "));
    assert.equal(host.outside.exec("nft", "list", "ruleset"), "");
    await controller.purge();
  });
});
