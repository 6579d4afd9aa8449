import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Sandbox } from "../../src/index.ts";
import { changedRules, foreignRules, loadFirewalld, loadUfw } from "../peers/firewalls.ts";
import type { Agent } from "./agent.ts";
import { addressesOf } from "./sandbox-addresses.ts";
import { type TestHost, withHost } from "./test-host.ts";
import { until } from "./until.ts";
import { hostAddresses, joinToHost, outsideAddresses, sysctl } from "./uplink.ts";

const families = ["ipv4", "ipv6"] as const;
const publishedPort = 8080;
/** As iptables shows weft's one rule in somebody else's chain, and as nft does. */
const ownRule =
  /-A FORWARD -m mark --mark 0x1000000\/0x1000000 -j ACCEPT$|meta mark & 0x01000000 == 0x01000000 counter accept$/;

interface Scene {
  readonly host: TestHost;
  readonly web: Sandbox;
  readonly agents: Readonly<Record<"web" | "sibling" | "outside", Agent>>;
}

async function build(host: TestHost): Promise<Scene> {
  const network = await host.controller.createNetwork("bridge", "net", { ipv6: true });
  const endpoints = [{ network }];
  const web = await host.controller.createSandbox("web", { ports: [`${publishedPort}:7777`], endpoints });
  const sibling = await host.controller.createSandbox("sibling", { endpoints });
  const agents = {
    web: await host.agent(web),
    sibling: await host.agent(sibling),
    outside: await host.agent(host.outside),
  };
  return { host, web, agents };
}

/** Out, in by the published port, and between siblings, whose frames br_netfilter shows to everybody's chains. */
async function flows({ web, agents }: Scene): Promise<void> {
  const addresses = await addressesOf(web);
  for (const family of families) {
    assert.equal(await agents.web.reach(outsideAddresses[family]), hostAddresses[family]);
    assert.equal(
      await agents.outside.reach(hostAddresses[family], "tcp", publishedPort),
      outsideAddresses[family],
    );
    await agents.sibling.reach(addresses[family]);
  }
}

/** Waits until weft has put right what somebody did, and everything flows. */
async function mendedAfter(scene: Scene, work: () => unknown): Promise<void> {
  const { host } = scene;
  const { repairs } = host.controller.repairs;
  await work();
  await until("weft puts the host right", () => host.controller.repairs.repairs > repairs);
  await flows(scene);
  assert.deepEqual(await host.controller.drift(), []);
}

const withScene = (work: (scene: Scene) => Promise<void>, prepare?: (host: TestHost) => Promise<void>) =>
  withHost(async (host) => work(await build(host)), {
    selfRepair: true,
    prepare: async (host) => {
      await joinToHost(host);
      await prepare?.(host);
    },
  });

suite("beside other firewalls", () => {
  for (const [name, load] of [
    ["ufw", (host: TestHost) => loadUfw(host.netns.path)],
    ["firewalld", (host: TestHost) => loadFirewalld(host.netns.path, { uplinks: ["up0"] })],
  ] as const) {
    test(`that was there before, traffic passes ${name} by one rule, which a purge takes away`, async () => {
      let before: readonly string[] = [];
      await withScene(
        async (scene) => {
          await flows(scene);
          const changed = changedRules(before, await foreignRules(scene.host.netns.path));
          assert.ok(changed.length > 0);
          for (const line of changed) assert.match(line, ownRule);
          assert.ok(changed.every((line) => line.startsWith("+ ")));
          await scene.host.controller.purge();
          assert.deepEqual(changedRules(before, await foreignRules(scene.host.netns.path)), []);
          scene.host.netns.exec("nft", "flush", "ruleset");
        },
        async (host) => {
          await load(host);
          before = await foreignRules(host.netns.path);
        },
      );
    });

    test(`that comes later, traffic passes ${name} by itself`, () =>
      withScene(async (scene) => {
        await flows(scene);
        await load(scene.host);
        const rules = () => foreignRules(scene.host.netns.path);
        await until("weft's rule is in its chains", async () =>
          (await rules()).some((line) => ownRule.test(line)),
        );
        await flows(scene);
        scene.host.netns.exec("nft", "flush", "ruleset");
        await until("weft's table is back", () => scene.host.controller.repairs.repairs > 0);
        await flows(scene);
      }));
  }

  test("what is flushed comes back, and is counted and told", () =>
    withScene(async (scene) => {
      const { host } = scene;
      await mendedAfter(scene, () => host.netns.exec("nft", "flush", "ruleset"));
      assert.ok(host.repaired.includes("nft-table host inet weft"), host.repaired.join("\n"));
      await mendedAfter(scene, () => host.netns.exec("nft", "flush", "set", "inet", "weft", "ifs"));
      await mendedAfter(scene, () => host.netns.exec("nft", "delete", "table", "inet", "weft"));
      await mendedAfter(scene, () => host.netns.exec("nft", "flush", "chain", "inet", "weft", "forward"));
      assert.equal(host.controller.repairs.repairs, 4);
      assert.ok(host.controller.repairs.repairedObjects >= 4);
    }));

  test("iptables -F takes weft's rule out of a chain that drops, and it comes back", () =>
    withScene(async (scene) => {
      const { netns } = scene.host;
      netns.exec("iptables", "-P", "FORWARD", "DROP");
      netns.exec("ip6tables", "-P", "FORWARD", "DROP");
      const hasRule = () => ownRule.test(netns.exec("iptables", "-S", "FORWARD").trim());
      await until("weft's rule is there", hasRule);
      await flows(scene);
      netns.exec("iptables", "-F");
      await until("weft's rule is there again", hasRule);
      await flows(scene);
      netns.exec("iptables", "-P", "FORWARD", "ACCEPT");
      netns.exec("ip6tables", "-P", "FORWARD", "ACCEPT");
      await until("weft's rule is not needed", () => !hasRule());
      await flows(scene);
      netns.exec("nft", "flush", "ruleset");
      await until("weft's table is back", () => scene.host.controller.repairs.repairs > 0);
    }));

  test("the users' own chain decides before weft, and outlives repairs and restarts", () =>
    withScene(async (scene) => {
      const { host, agents } = scene;
      const { netns } = host;
      netns.exec("nft", "add", "rule", "inet", "weft", "user", "ip", "saddr", outsideAddresses.ipv4, "drop");
      assert.equal(await agents.outside.unreached(hostAddresses.ipv4, "tcp", publishedPort), "timeout");
      await agents.outside.reach(hostAddresses.ipv6, "tcp", publishedPort);
      const { repairs } = host.controller.repairs;
      netns.exec("nft", "flush", "chain", "inet", "weft", "forward");
      await until("weft puts the host right", () => host.controller.repairs.repairs > repairs);
      await host.controller.close();
      await host.open();
      assert.equal(await agents.outside.unreached(hostAddresses.ipv4, "tcp", publishedPort), "timeout");
      // It may let in what weft would keep out.
      netns.exec("nft", "flush", "chain", "inet", "weft", "user");
      netns.exec(
        "nft",
        "add",
        "rule",
        "inet",
        "weft",
        "user",
        "ct",
        "state",
        "new",
        "oifname",
        "br-*",
        "accept",
      );
      const { ipv4 } = await addressesOf(scene.web);
      host.outside.exec("ip", "route", "add", ipv4, "via", hostAddresses.ipv4);
      await agents.outside.reach(ipv4);
    }));

  test("frames within a bridge take no detour while weft is alone, and do again when a firewall comes", () =>
    withHost(
      async (host) => {
        const values = () =>
          ["iptables", "ip6tables"].map((name) => sysctl(host.netns, `net/bridge/bridge-nf-call-${name}`));
        assert.deepEqual(values(), ["1", "1"]);
        await joinToHost(host);
        const scene = await build(host);
        assert.deepEqual(values(), ["0", "0"]);
        await flows(scene);
        host.netns.exec("nft", "add", "table", "inet", "other");
        host.netns.exec(
          "nft",
          "add chain inet other forward { type filter hook forward priority 0; policy accept; }",
        );
        await until("br_netfilter is as it was", () => values().join() === "1,1");
        await flows(scene);
        host.netns.exec("nft", "delete", "table", "inet", "other");
        await until("br_netfilter is off", () => values().join() === "0,0");
        assert.deepEqual(await host.controller.drift(), []);
        await host.controller.purge();
        assert.deepEqual(values(), ["1", "1"]);
      },
      { selfRepair: true, keepBridgeNetfilter: false },
    ));

  test("links that somebody deleted come back with all that they had", () =>
    withScene(async (scene) => {
      const { host } = scene;
      const bridge = `br-${host.controller.network("net").id.slice(0, 12)}`;
      await mendedAfter(scene, () => host.netns.exec("ip", "link", "set", bridge, "down"));
      await mendedAfter(scene, () =>
        host.netns.exec("ip", "address", "flush", "dev", bridge, "scope", "global"),
      );
      await mendedAfter(scene, () => host.netns.exec("ip", "link", "delete", bridge));
    }));
});
