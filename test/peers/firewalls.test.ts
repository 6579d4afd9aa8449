import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Agent, agentCommand, agentProcessOf } from "../e2e/agent.ts";
import { agentPort } from "../e2e/agent-protocol.ts";
import { setSysctl } from "../e2e/uplink.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import { changedRules, foreignRules, loadFirewalld, loadUfw } from "./firewalls.ts";

interface Neighbours {
  readonly host: TestNetns;
  readonly near: Agent;
  readonly far: Agent;
}

const families = [
  { host: "192.0.2.1", far: "198.51.100.2" },
  { host: "2001:db8:1::1", far: "2001:db8:2::2" },
] as const;

/** A host that forwards between two neighbours, each of whom can be reached by the other. */
async function withNeighbours(work: (neighbours: Neighbours) => Promise<void>): Promise<void> {
  await withNetns(["host", "near", "far"], async ({ host, near, far }) => {
    for (const one of [host, near, far]) one.exec("ip", "link", "set", "lo", "up");
    for (const key of ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"]) setSysctl(host, key, "1");
    wire(host, near, "up0", ["192.0.2", "2001:db8:1:"]);
    wire(host, far, "up1", ["198.51.100", "2001:db8:2:"]);
    const agents: Agent[] = [];
    try {
      for (const one of [host, near, far]) agents.push(await startAgent(one));
      const [, nearAgent, farAgent] = agents;
      assert.ok(nearAgent !== undefined && farAgent !== undefined);
      for (const family of families) {
        await nearAgent.reach(family.host);
        await nearAgent.reach(family.far);
      }
      await work({ host, near: nearAgent, far: farAgent });
    } finally {
      for (const agent of agents) await agent.end();
    }
  });
}

function wire(host: TestNetns, peer: TestNetns, link: string, [ipv4, ipv6]: readonly [string, string]): void {
  host.exec("ip", "link", "add", link, "type", "veth", "peer", "name", "wire0", "netns", peer.path);
  for (const [where, name, last] of [
    [host, link, 1],
    [peer, "wire0", 2],
  ] as const) {
    setSysctl(where, `net/ipv6/conf/${name}/accept_dad`, "0");
    where.exec("ip", "address", "add", `${ipv4}.${last}/24`, "dev", name);
    where.exec("ip", "address", "add", `${ipv6}:${last}/64`, "dev", name, "nodad");
    where.exec("ip", "link", "set", name, "up");
  }
  peer.exec("ip", "route", "add", "default", "via", `${ipv4}.1`);
  peer.exec("ip", "route", "add", "default", "via", `${ipv6}:1`);
}

function startAgent(where: TestNetns): Promise<Agent> {
  const [program = "", ...args] = agentCommand;
  return Agent.start(agentProcessOf(where.start(program, args, { stdio: ["pipe", "pipe", "inherit"] })));
}

suite("rules as ufw sets them", () => {
  test("forward nothing but pings, and let in what is allowed", () =>
    withNeighbours(async ({ host, near }) => {
      await loadUfw(host.path);
      for (const family of families) {
        assert.equal(await near.unreached(family.far, "tcp"), "timeout");
        assert.equal(await near.unreached(family.far, "udp"), "timeout");
        await near.reach(family.far, "icmp");
        assert.equal(await near.unreached(family.host, "tcp"), "timeout");
        await near.reach(family.host, "icmp");
      }
      await loadUfw(host.path, { tcpPorts: [22, agentPort] });
      for (const family of families) {
        await near.reach(family.host, "tcp");
        assert.equal(await near.unreached(family.far, "tcp"), "timeout");
      }
    }));
});

suite("rules as firewalld sets them", () => {
  test("reject what is forwarded but from uplink to uplink, and let in what is allowed", () =>
    withNeighbours(async ({ host, near, far }) => {
      await loadFirewalld(host.path, { uplinks: ["up0"], tcpPorts: [22, agentPort] });
      for (const family of families) {
        for (const protocol of ["tcp", "udp"] as const)
          assert.notEqual(await near.unreached(family.far, protocol), undefined);
        await near.reach(family.host, "tcp");
        assert.notEqual(await near.unreached(family.host, "udp"), undefined);
        await near.reach(family.host, "icmp");
      }
      // Towards an uplink of the same zone it lets pass.
      await far.reach("192.0.2.2", "tcp");
      await far.reach("2001:db8:1::2", "tcp");
    }));
});

suite("the rules of others", () => {
  test("are listed in order, without counters, without weft's table and with one line for one change", () =>
    withNetns(1, async ([host]) => {
      assert.deepEqual(await foreignRules(host.path), []);
      await loadUfw(host.path);
      await loadFirewalld(host.path, { uplinks: ["up0"] });
      const before = await foreignRules(host.path);
      assert.ok(before.includes("ip filter: :FORWARD DROP"));
      assert.ok(before.includes("ip6 filter: -A FORWARD -j ufw6-before-forward"));
      assert.ok(
        before.includes("inet firewalld chain filter_FORWARD: reject with icmpx admin-prohibited"),
        before.join("\n"),
      );

      host.exec("ip", "link", "set", "lo", "up");
      host.exec("busybox", "ping", "-c", "1", "127.0.0.1");
      host.exec("nft", "add table inet weft; add chain inet weft forward; add rule inet weft forward accept");
      assert.deepEqual(changedRules(before, await foreignRules(host.path)), []);

      host.exec(
        "iptables",
        "-I",
        "FORWARD",
        "2",
        "-m",
        "mark",
        "--mark",
        "0x1000000/0x1000000",
        "-j",
        "ACCEPT",
      );
      host.exec(
        "nft",
        "delete rule inet firewalld filter_OUTPUT handle",
        handleOf(host, 'oifname "lo" accept'),
      );
      assert.deepEqual(changedRules(before, await foreignRules(host.path)), [
        "+ ip filter: -A FORWARD -m mark --mark 0x1000000/0x1000000 -j ACCEPT",
        '- inet firewalld chain filter_OUTPUT: oifname "lo" accept',
      ]);
    }));

  test("that changed place are told as gone and come", () => {
    assert.deepEqual(changedRules(["a", "b", "c"], ["b", "c", "a"]), ["- a", "+ a"]);
    assert.deepEqual(changedRules(["a", "a", "b"], ["a", "b", "b"]), ["- a", "+ b"]);
    assert.deepEqual(changedRules([], ["a"]), ["+ a"]);
    assert.deepEqual(changedRules(["a"], []), ["- a"]);
  });
});

function handleOf(host: TestNetns, rule: string): string {
  const listed = host.exec("nft", "--handle", "list", "chain", "inet", "firewalld", "filter_OUTPUT");
  const line = listed.split("\n").find((one) => one.includes(rule));
  return line?.split("# handle ")[1] ?? "";
}
