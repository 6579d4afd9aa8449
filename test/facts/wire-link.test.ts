import assert from "node:assert/strict";
import { test } from "node:test";
import { LinuxFacts } from "../../src/facts/index.ts";
import { withNetns } from "../netns-fixture.ts";
import { RawLink } from "../packets/index.ts";

test("who has made a link promiscuous is told: nobody, a bridge, a person, a program that listens", async () => {
  await withNetns(["host"], async ({ host }) => {
    host.exec("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0p");
    host.exec("ip", "link", "add", "br0", "type", "bridge");
    const facts = new LinuxFacts(host.path);
    const state = () => {
      const { promiscuity, promiscuousFlag, master, wireless } = facts.wireLink("eth0") ?? {};
      return { promiscuity, promiscuousFlag, master, wireless };
    };
    try {
      const nobody = { promiscuity: 0, promiscuousFlag: false, master: undefined, wireless: undefined };
      assert.deepEqual(state(), nobody);
      host.exec("ip", "link", "set", "eth0", "master", "br0");
      assert.deepEqual(state(), { ...nobody, promiscuity: 1, master: "br0" });
      host.exec("ip", "link", "set", "eth0", "promisc", "on");
      assert.deepEqual(state(), { ...nobody, promiscuity: 2, promiscuousFlag: true, master: "br0" });
      const raw = RawLink.open(host.path, "eth0");
      assert.equal(state().promiscuity, 3);
      await raw.close();
      host.exec("ip", "link", "set", "eth0", "nomaster", "promisc", "off");
      assert.deepEqual(state(), nobody);
      assert.equal(facts.wireLink("eth9"), undefined);
      assert.deepEqual(facts.hardwareLinks(), [], "veth pairs and bridges are no hardware");
    } finally {
      facts.close();
    }
  });
});
