import assert from "node:assert/strict";
import { test } from "node:test";
import { featureNames, probeFeatures } from "../../src/facts/index.ts";
import { needsKernel } from "../needs-kernel.ts";
import { withNetns } from "../netns-fixture.ts";
import { availableToTools } from "./feature-tools.ts";

needsKernel("macvlan", "ipvlan", "802.1Q", "dummy", "IPVS", "ESP", "WireGuard", "netem");

test("a full kernel has every feature, for weft as for ip, tc, nft, conntrack and genl", async () => {
  await withNetns(["host"], ({ host }) => {
    assert.deepEqual(
      probeFeatures().filter(({ available }) => !available),
      [],
    );
    assert.deepEqual(availableToTools(host), Object.fromEntries(featureNames.map((name) => [name, true])));
  });
});

test("probing twice finds the same, for a probe leaves nothing", () => {
  assert.deepEqual(probeFeatures(), probeFeatures());
});
