import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { test } from "node:test";
import { featureNames, probeFeatures } from "../../src/facts/index.ts";
import { withNetns } from "../netns-fixture.ts";
import { availableToTools } from "./feature-tools.ts";

test("this kernel's features are those that ip, tc, nft, conntrack and genl find", async () => {
  await withNetns(["host"], ({ host }) => {
    const found = probeFeatures().map(({ name, available }) => [name, available]);
    assert.deepEqual(Object.fromEntries(found), availableToTools(host));
  });
});

test("features are probed by name, in the order asked for, and the thread is where it was", () => {
  const before = readlinkSync("/proc/thread-self/ns/net");
  assert.deepEqual(probeFeatures([]), []);
  assert.deepEqual(
    probeFeatures(["veth", "bridge"]).map(({ name, available }) => [name, available]),
    [
      ["veth", true],
      ["bridge", true],
    ],
  );
  assert.equal(readlinkSync("/proc/thread-self/ns/net"), before);
  assert.equal(new Set(featureNames).size, featureNames.length);
});
