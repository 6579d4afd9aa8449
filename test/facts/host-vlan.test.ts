import assert from "node:assert/strict";
import { test } from "node:test";
import { LinuxFacts } from "../../src/facts/index.ts";
import { needsKernel } from "../needs-kernel.ts";
import { withNetns } from "../netns-fixture.ts";

needsKernel("802.1Q");

test("a VLAN sub-interface is told with its parent and tag, unless the parent is in another namespace", async () => {
  await withNetns(["host", "other"], ({ host, other }) => {
    host.exec("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0p");
    host.exec("ip", "link", "add", "link", "eth0", "name", "voice", "type", "vlan", "id", "10");
    const stag = ["type", "vlan", "proto", "802.1ad", "id", "20"];
    host.exec("ip", "link", "add", "link", "eth0", "name", "stag", ...stag);
    const facts = new LinuxFacts(host.path);
    const others = new LinuxFacts(other.path);
    try {
      assert.deepEqual(facts.link("voice")?.vlan, { parent: "eth0", id: 10, protocol: "802.1Q" });
      assert.deepEqual(facts.link("stag")?.vlan, { parent: "eth0", id: 20, protocol: "802.1ad" });
      assert.equal(facts.link("eth0")?.vlan, undefined);
      host.exec("ip", "link", "set", "voice", "netns", other.path);
      assert.deepEqual(others.link("voice")?.vlan, { parent: undefined, id: 10, protocol: "802.1Q" });
    } finally {
      facts.close();
      others.close();
    }
  });
});
