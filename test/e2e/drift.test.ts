import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import type { Network, Sandbox } from "../../src/index.ts";
import type { Agent } from "./agent.ts";
import { addressesOf, gatewaysOf } from "./sandbox-addresses.ts";
import { type TestHost, withHost } from "./test-host.ts";
import { hostAddresses, joinToHost, outsideAddresses } from "./uplink.ts";

interface Scene {
  readonly host: TestHost;
  readonly network: Network;
  readonly web: Sandbox;
  readonly client: Sandbox;
  readonly agent: Agent;
  /** The host's end of the client's link. */
  readonly clientLink: string;
  readonly webLink: string;
  readonly bridge: string;
}

/** Two sandboxes on a dual-stack network with a neighbour, as they should be. */
async function withScene(work: (scene: Scene) => Promise<void>): Promise<void> {
  await withHost(async (host) => {
    await joinToHost(host);
    const network = await host.controller.createNetwork("bridge", "net", { ipv6: true });
    const web = await host.controller.createSandbox("web", { hostname: "web1", endpoints: [{ network }] });
    const client = await host.controller.createSandbox("client", {
      hostname: "client1",
      endpoints: [{ network }],
    });
    const [clientLink, webLink] = [linkOf(client), linkOf(web)];
    const bridge = `br-${network.id.slice(0, 12)}`;
    const agent = await host.agent(client);
    await host.agent(web);
    await host.agent(host.outside);
    assert.deepEqual(await host.controller.drift(), []);
    await work({ host, network, web, client, agent, clientLink, webLink, bridge });
  });
}

function linkOf(sandbox: Sandbox): string {
  return `veth${sandbox.endpoints()[0]?.id.slice(0, 11)}`;
}

/** The differences in a few words each: with names for what is random, and without values. */
async function told({ host, network, bridge, clientLink, webLink, client, web }: Scene): Promise<string[]> {
  const { ipv4, ipv6 } = await addressesOf(client);
  const gateways = gatewaysOf(network);
  const names = [
    [`${host.root}/run/sandboxes/${client.id.slice(0, 12)}`, "client"],
    [client.key, "client"],
    [web.key, "web"],
    [bridge, "BRIDGE"],
    [clientLink, "CLIENT-LINK"],
    [webLink, "WEB-LINK"],
    ...network.info().pools.map(({ pool, family }) => [pool, `POOL${family}`] as const),
    [`${gateways.ipv4}/24`, "GATEWAY4"],
    [`${gateways.ipv6}/64`, "GATEWAY6"],
    [`"${gateways.ipv4}"`, '"GATEWAY4"'],
    [`"${gateways.ipv6}"`, '"GATEWAY6"'],
    [`${ipv4}/24`, "CLIENT4"],
    [`${ipv6}/64`, "CLIENT6"],
  ] as const;
  return (await host.controller.drift())
    .map(({ drift, identity }) =>
      names.reduce((text, [from, to]) => text.replaceAll(from, to), `${drift} ${identity}`),
    )
    .toSorted();
}

/** The repair leaves nothing to mend, and everything flows: within the network, out of it, and names. */
async function assertMended(scene: Scene): Promise<void> {
  const { host, agent, web } = scene;
  assert.deepEqual(await host.controller.repair(), []);
  assert.deepEqual(await host.controller.drift(), []);
  const { ipv4, ipv6 } = await addressesOf(web);
  assert.deepEqual((await agent.name("web")).data, [ipv4]);
  for (const address of [ipv4, ipv6]) await agent.reach(address);
  assert.equal(await agent.reach(outsideAddresses.ipv4), hostAddresses.ipv4);
  assert.equal(await agent.reach(outsideAddresses.ipv6), hostAddresses.ipv6);
}

suite("what somebody else did to the host is told and mended", () => {
  test("flushed nftables", () =>
    withScene(async (scene) => {
      scene.host.netns.exec("nft", "flush", "ruleset");
      assert.deepEqual(await told(scene), [
        'missing nft-element host inet weft bridges4 ["GATEWAY4"]',
        'missing nft-element host inet weft bridges6 ["GATEWAY6"]',
        'missing nft-element host inet weft foreign ["ipv4"]',
        'missing nft-element host inet weft foreign ["ipv6"]',
        'missing nft-element host inet weft icc ["BRIDGE","BRIDGE"]',
        'missing nft-element host inet weft ifs ["BRIDGE"]',
        'missing nft-element host inet weft masq4 ["POOL4"]',
        'missing nft-element host inet weft masq6 ["POOL6"]',
        'missing nft-element host inet weft own4 ["BRIDGE","POOL4"]',
        'missing nft-element host inet weft own6 ["BRIDGE","POOL6"]',
        'missing nft-element host inet weft pools4 ["POOL4"]',
        'missing nft-element host inet weft pools6 ["POOL6"]',
        "missing nft-table host inet weft",
      ]);
      await assertMended(scene);
    }));

  test("flushed nftables in a sandbox, which end its names", () =>
    withScene(async (scene) => {
      await scene.host.output(scene.client, "nft", "flush", "ruleset");
      assert.deepEqual(await told(scene), ["missing nft-table client ip weft"]);
      await assertMended(scene);
    }));

  test("a rule added to weft's table and an element taken out of its sets", () =>
    withScene(async (scene) => {
      const { netns } = scene.host;
      netns.exec("nft", "insert", "rule", "inet", "weft", "forward", "drop");
      netns.exec("nft", "delete", "element", "inet", "weft", "ifs", `{ "${scene.bridge}" }`);
      assert.deepEqual(await told(scene), [
        "changed nft-table host inet weft",
        'missing nft-element host inet weft ifs ["BRIDGE"]',
      ]);
      await assertMended(scene);
    }));

  test("a deleted bridge", () =>
    withScene(async (scene) => {
      scene.host.netns.exec("ip", "link", "delete", scene.bridge);
      assert.deepEqual(await told(scene), [
        "missing address host BRIDGE GATEWAY4",
        "missing address host BRIDGE GATEWAY6",
        "missing link host BRIDGE",
        "missing port host CLIENT-LINK",
        "missing port host WEB-LINK",
        "missing sysctl host net/ipv6/conf/BRIDGE/accept_ra",
        "missing sysctl host net/ipv6/conf/BRIDGE/disable_ipv6",
        "missing up host BRIDGE",
      ]);
      await assertMended(scene);
    }));

  test("a deleted veth", () =>
    withScene(async (scene) => {
      scene.host.netns.exec("ip", "link", "delete", scene.clientLink);
      assert.deepEqual(await told(scene), [
        "missing address client eth0 CLIENT4",
        "missing address client eth0 CLIENT6",
        "missing link host CLIENT-LINK",
        "missing port host CLIENT-LINK",
        "missing route client 0.0.0.0/0 0",
        "missing route client ::/0 0",
        "missing sysctl client net/ipv6/conf/eth0/accept_ra",
        "missing sysctl client net/ipv6/conf/eth0/disable_ipv6",
        "missing up client eth0",
        "missing up host CLIENT-LINK",
      ]);
      await assertMended(scene);
    }));

  test("a bridge and a sandbox's link that were set down", () =>
    withScene(async (scene) => {
      scene.host.netns.exec("ip", "link", "set", scene.bridge, "down");
      await scene.host.output(scene.client, "ip", "link", "set", "eth0", "down");
      assert.deepEqual(await told(scene), [
        "missing address client eth0 CLIENT6",
        "missing address host BRIDGE GATEWAY6",
        "missing route client 0.0.0.0/0 0",
        "missing route client ::/0 0",
        "missing up client eth0",
        "missing up host BRIDGE",
      ]);
      await assertMended(scene);
    }));

  test("addresses and routes deleted in a sandbox", () =>
    withScene(async (scene) => {
      await scene.host.output(scene.client, "ip", "address", "flush", "dev", "eth0", "scope", "global");
      assert.deepEqual(await told(scene), [
        "missing address client eth0 CLIENT4",
        "missing address client eth0 CLIENT6",
        "missing route client 0.0.0.0/0 0",
      ]);
      await assertMended(scene);
      await scene.host.output(scene.client, "ip", "route", "delete", "default");
      await scene.host.output(scene.client, "ip", "-6", "route", "delete", "default");
      assert.deepEqual(await told(scene), [
        "missing route client 0.0.0.0/0 0",
        "missing route client ::/0 0",
      ]);
      await assertMended(scene);
    }));

  test("a sandbox's namespace that was unmounted: it gets a new one, with its names", () =>
    withScene(async (scene) => {
      const { host, client, web } = scene;
      execFileSync("umount", ["--lazy", client.key]);
      const drifts = await told(scene);
      assert.ok(drifts.some((drift) => drift === "missing netns client"));
      assert.ok(drifts.every((drift) => /client|CLIENT-LINK/.test(drift)));
      assert.deepEqual(await host.controller.repair(), []);
      await host.output(client, "ip", "link", "show", "eth0");
      const agent = await host.agent(client);
      assert.deepEqual((await agent.name("web")).data, [(await addressesOf(web)).ipv4]);
      await assertMended({ ...scene, agent });
    }));

  test("forwarding turned off", () =>
    withScene(async (scene) => {
      scene.host.netns.run(() => writeFileSync("/proc/sys/net/ipv4/ip_forward", "0"));
      assert.deepEqual(await told(scene), [
        "changed sysctl host net/ipv4/conf/all/accept_redirects", // Linux rewrites it with the other
        "changed sysctl host net/ipv4/ip_forward",
      ]);
      await assertMended(scene);
    }));

  test("an edited hosts file, which a running command sees mended", () =>
    withScene(async (scene) => {
      const { agent, client } = scene;
      const before = await agent.ask("read", { path: "/etc/hosts" });
      const hosts = client.files.find(({ target }) => target === "/etc/hosts");
      assert.ok(hosts);
      writeFileSync(hosts.source, "127.0.0.1 nothing\n");
      assert.equal(await agent.ask("read", { path: "/etc/hosts" }), "127.0.0.1 nothing\n");
      assert.deepEqual(await told(scene), ["changed file client/hosts"]);
      await assertMended(scene);
      assert.equal(await agent.ask("read", { path: "/etc/hosts" }), before);
    }));
});
