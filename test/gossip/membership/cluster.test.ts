import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError } from "../../../src/core/index.ts";
import { Keyring, lanProfile, type MembershipInit } from "../../../src/gossip/index.ts";
import { TestCluster, type TestNode } from "../cluster-fixture.ts";

const code = (wanted: Parameters<typeof isWeftError>[1]) => (error: unknown) => isWeftError(error, wanted);
const names = (nodes: readonly TestNode[]) => nodes.map(({ membership }) => membership.self);

async function withCluster(
  count: number,
  work: (cluster: TestCluster, nodes: readonly TestNode[]) => Promise<void> | void,
  init: Partial<MembershipInit> = {},
): Promise<void> {
  const cluster = new TestCluster();
  try {
    const nodes = await cluster.startMany(count, init);
    cluster.until("all see all", () => nodes.every((node) => node.sees(names(nodes))), 10_000);
    await work(cluster, nodes);
  } finally {
    cluster.close();
  }
}

/** The nodes by number, for tests that know how many there are. */
function pick(nodes: readonly TestNode[], index: number): TestNode {
  const node = nodes[index];
  if (node === undefined) throw new Error(`no node ${index}`);
  return node;
}

test("nodes that join one of them find all, and each is told of each other once", () =>
  withCluster(10, (_cluster, nodes) => {
    for (const { events, membership } of nodes) {
      const joined = events.filter((event) => event.startsWith("joined")).sort();
      const others = names(nodes).filter((name) => name !== membership.self);
      assert.deepEqual(joined, others.map((name) => `joined ${name}`).sort());
    }
    assert.ok(pick(nodes, 0).events.includes("merged state of n2 joining"));
    assert.ok(pick(nodes, 1).events.includes("merged state of n1 joining"));
  }));

test("a node that dies is suspected, then dead everywhere within the suspicion time, and nobody else is", () =>
  withCluster(10, (cluster, nodes) => {
    const others = nodes.slice(1);
    pick(nodes, 0).kill();
    const isSuspect = () => others.some((node) => node.stateOf("n1") === "suspect");
    cluster.until("suspected", isSuspect, 12_000);
    cluster.until("dead", () => others.every((node) => node.stateOf("n1") === "dead"), 24_000);
    for (const { events } of others)
      assert.deepEqual(
        events.filter((event) => event.startsWith("gone")),
        ["gone n1"],
      );
  }));

test("a node that leaves is left, never dead, and may come back under its name at another address", () =>
  withCluster(5, async (cluster, nodes) => {
    const [leaver, ...others] = nodes;
    assert.ok(leaver !== undefined);
    assert.equal(await cluster.settle(leaver.membership.leave(5000)), true);
    leaver.kill();
    cluster.timers.advance(2000);
    for (const node of others) assert.equal(node.stateOf("n1"), "left");
    const back = cluster.start("n1", {}, "10.0.9.9");
    await cluster.settle(back.membership.join([pick(others, 0).place]));
    cluster.until("back", () => others.every((node) => node.sees(names(nodes))), 10_000);
    assert.equal(pick(others, 0).membership.member("n1")?.address, "10.0.9.9");
  }));

test("a node alone leaves at once", async () => {
  const cluster = new TestCluster();
  const node = cluster.start("n1");
  assert.equal(await cluster.settle(node.membership.leave(60_000)), true);
  cluster.close();
});

test("a node that was killed comes back with an incarnation that beats what was said of it", () =>
  withCluster(5, async (cluster, nodes) => {
    const others = nodes.slice(1);
    pick(nodes, 0).kill();
    cluster.until("dead", () => others.every((node) => node.stateOf("n1") === "dead"), 40_000);
    const back = cluster.start("n1");
    await cluster.settle(back.membership.join([pick(others, 0).place]));
    cluster.until("back", () => [back, ...others].every((node) => node.sees(names(nodes))), 10_000);
    assert.ok(back.membership.incarnation > 1);
  }));

test("two halves that were cut off from each other find together again, and no member is lost", () =>
  withCluster(8, (cluster, nodes) => {
    const left = new Set(nodes.slice(0, 4).map(({ place }) => place.address));
    cluster.network.cut((from, to) => left.has(from.address) !== left.has(to.address));
    const sawOnly = (some: readonly TestNode[]) => () => some.every((node) => node.sees(names(some)));
    cluster.until("the left half is alone", sawOnly(nodes.slice(0, 4)), 60_000);
    cluster.until("the right half is alone", sawOnly(nodes.slice(4)), 60_000);
    cluster.timers.advance(60_000);
    cluster.network.heal();
    cluster.until("whole again", () => nodes.every((node) => node.sees(names(nodes))), 60_000);
  }));

test("a node that one other cannot reach is asked through others, and stays alive", () =>
  withCluster(6, (cluster, nodes) => {
    const [a, b] = [pick(nodes, 0).place.address, pick(nodes, 1).place.address];
    cluster.network.cut(
      (from, to) => (from.address === a && to.address === b) || (from.address === b && to.address === a),
    );
    cluster.timers.advance(120_000);
    for (const node of nodes) assert.ok(node.sees(names(nodes)));
    assert.ok(nodes.every(({ membership }) => membership.counters.suspicions === 0));
  }));

test("where a quarter of the packets is lost, pings are sent again, and hardly anybody is suspected", () =>
  withCluster(20, (cluster, nodes) => {
    cluster.network.conditions.loss = 0.25;
    const counted = () => {
      const sum = { probes: 0, failed: 0 };
      for (const { membership } of nodes) {
        sum.probes += membership.counters.probes;
        sum.failed += membership.counters.failedProbes;
      }
      return sum;
    };
    const before = counted();
    cluster.timers.advance(120_000);
    const after = counted();
    // Asked once, 44 % get no answer, and 7 % are not reached in any way.
    assert.ok((after.failed - before.failed) / (after.probes - before.probes) < 0.02);
    for (const node of nodes) assert.equal(node.membership.members().length, 20);
  }));

test("where UDP is lost altogether, TCP tells that the others are alive", () =>
  withCluster(3, (cluster, nodes) => {
    cluster.network.conditions.loss = 0;
    const send = cluster.network.carry.bind(cluster.network);
    let lost = 0;
    cluster.network.carry = () => {
      lost++;
    };
    cluster.timers.advance(60_000);
    cluster.network.carry = send;
    assert.ok(lost > 100);
    for (const node of nodes) assert.ok(node.sees(names(nodes)));
    assert.ok(nodes.some(({ warnings }) => warnings.some((line) => line.includes("by TCP but not by UDP"))));
  }));

test("another node of the same name is told as a conflict and changes nothing", async () => {
  const cluster = new TestCluster();
  const conflicts: string[] = [];
  const hooks = {
    conflict: (one: { address: string }, other: { address: string }) =>
      conflicts.push(`${one.address} ${other.address}`),
  };
  const [first] = await cluster.startMany(3, { hooks });
  assert.ok(first !== undefined);
  const impostor = cluster.start("n2", {}, "10.0.5.5");
  await cluster.settle(impostor.membership.join([first.place]));
  cluster.timers.advance(5000);
  assert.equal(first.membership.member("n2")?.address, "10.0.0.2");
  assert.ok(conflicts.includes("10.0.0.2 10.0.5.5"));
  assert.ok(first.membership.counters.refused.conflict > 0);
  cluster.close();
});

test("a dead node's name is had by another address once it may be reclaimed, and not before", () =>
  withCluster(
    4,
    async (cluster, nodes) => {
      const others = nodes.slice(1);
      pick(nodes, 0).kill();
      cluster.until("dead", () => others.every((node) => node.stateOf("n1") === "dead"), 40_000);
      const early = cluster.start("n1", {}, "10.0.7.1");
      await cluster.settle(early.membership.join([pick(others, 0).place]));
      assert.equal(pick(others, 0).stateOf("n1"), "dead");
      early.kill();
      cluster.timers.advance(11_000);
      const late = cluster.start("n1", {}, "10.0.7.2");
      await cluster.settle(late.membership.join([pick(others, 0).place]));
      cluster.until(
        "reclaimed",
        () => others.every((node) => node.membership.member("n1")?.address === "10.0.7.2"),
        10_000,
      );
    },
    { profile: { ...lanProfile, deadNodeReclaim: 10_000, gossipToTheDead: 3600_000, reconnectInterval: 0 } },
  ));

test("new meta reaches everybody; meta that is too long is left out and told", () =>
  withCluster(5, (cluster, nodes) => {
    const [writer, ...others] = nodes;
    assert.ok(writer !== undefined);
    writer.meta = Buffer.from("zone=b");
    writer.membership.updateMeta();
    const metaOf = (node: TestNode) => Buffer.from(node.membership.member("n1")?.meta ?? []).toString();
    cluster.until("meta is known", () => others.every((node) => metaOf(node) === "zone=b"), 5000);
    for (const { events } of others) assert.ok(events.includes("updated n1"));
    writer.meta = Buffer.alloc(513);
    writer.membership.updateMeta();
    cluster.until("no meta is known", () => others.every((node) => metaOf(node) === ""), 5000);
    assert.ok(writer.warnings.includes("meta is too long and is left out"));
  }));

test("user messages arrive by packet, by stream and by gossip; what does not fit is refused", () =>
  withCluster(4, async (cluster, nodes) => {
    const [a, b] = [pick(nodes, 0), pick(nodes, 1)];
    a.membership.sendPacket(
      b.membership.members().find(({ name }) => name === "n2") ?? assert.fail(),
      Buffer.from("p"),
    );
    const long = "x".repeat(100_000);
    await cluster.settle(
      a.membership.sendReliable(a.membership.member("n2") ?? assert.fail(), Buffer.from(long)),
    );
    a.outbox = [Buffer.from("gossip")];
    cluster.timers.advance(1000);
    assert.deepEqual(
      b.received.filter((text) => text !== "gossip").map((text) => text.length),
      [1, 100_000],
    );
    assert.ok(nodes.some(({ received }) => received.includes("gossip")));
    const to = a.membership.member("n2") ?? assert.fail();
    assert.throws(() => a.membership.sendPacket(to, Buffer.alloc(1400)), code("GOSSIP_TOO_LONG"));
    b.kill();
    await assert.rejects(
      cluster.settle(a.membership.sendReliable(to, Buffer.from("x"))),
      code("GOSSIP_UNREACHABLE"),
    );
  }));

test("joining who is not there, or nobody that fits, is refused", async () => {
  const cluster = new TestCluster();
  const node = cluster.start("n1");
  const nobody = { address: node.place.address, port: 1 };
  await assert.rejects(cluster.settle(node.membership.join([nobody])), code("GOSSIP_UNREACHABLE"));
  const other = cluster.start("n2", { delegateVersions: { min: 7, max: 9, current: 8 } });
  await assert.rejects(cluster.settle(other.membership.join([node.place])), code("GOSSIP_PROTOCOL"));
  assert.ok(node.sees(["n1"]) && other.sees(["n2"]));
  const picky = cluster.start("n3", { hooks: { refuseMerge: () => "not today" } });
  await assert.rejects(cluster.settle(picky.membership.join([node.place])), /not today/);
  cluster.close();
});

test("nodes of every protocol version and of both ways to seal understand each other", async () => {
  const cluster = new TestCluster();
  const keyring = () => new Keyring([Buffer.alloc(32, 3)]);
  const first = cluster.start("v1", { protocol: 1, keyring: keyring() });
  const all = [first];
  for (const protocol of [2, 3, 4, 5]) {
    const node = cluster.start(`v${protocol}`, {
      protocol,
      keyring: keyring(),
      compress: protocol % 2 === 0,
    });
    await cluster.settle(node.membership.join([first.place]));
    all.push(node);
  }
  cluster.until("all see all", () => all.every((node) => node.sees(["v1", "v2", "v3", "v4", "v5"])), 10_000);
  cluster.timers.advance(60_000);
  assert.ok(all.every(({ membership }) => membership.counters.suspicions === 0));
  for (const protocol of [0, 6, 1.5])
    assert.throws(() => cluster.start("x", { protocol }), code("INVALID_OPTION"));
  cluster.close();
});

test("clusters of different labels stay apart, and count what they drop", async () => {
  const cluster = new TestCluster();
  const blue = cluster.start("blue", { label: "blue" });
  const red = cluster.start("red", { label: "red" });
  await assert.rejects(cluster.settle(red.membership.join([blue.place])), code("GOSSIP_UNREACHABLE"));
  assert.ok(blue.membership.counters.refused.label > 0);
  assert.ok(blue.sees(["blue"]));
  cluster.close();
});

test("the ping delegate's payload comes with the round trip; a refused member is not taken in", async () => {
  const cluster = new TestCluster();
  const pings: string[] = [];
  const hooks = {
    ackPayload: () => Buffer.from("here"),
    pinged: (member: { name: string }, roundTrip: number, payload: Uint8Array) =>
      pings.push(`${member.name} ${roundTrip > 0} ${Buffer.from(payload)}`),
    refuseAlive: ({ name }: { name: string }) => (name === "n3" ? "no" : undefined),
  };
  const [first] = await cluster.startMany(3, { hooks });
  cluster.timers.advance(5000);
  assert.ok(pings.includes("n2 true here"));
  assert.ok(first?.sees(["n1", "n2"]));
  cluster.close();
});

test("a delegate that throws is counted, and membership goes on", async () => {
  const cluster = new TestCluster();
  const fail = () => {
    throw new Error("broken");
  };
  const delegate = {
    meta: fail,
    received: fail,
    broadcasts: fail,
    localState: fail,
    mergeState: fail,
    joined: fail,
    gone: fail,
    updated: fail,
  };
  const nodes = await cluster.startMany(3, { delegate });
  cluster.until("all see all", () => nodes.every((node) => node.sees(["n1", "n2", "n3"])), 5000);
  assert.ok(nodes.every(({ membership }) => membership.counters.delegateFailures > 0));
  cluster.close();
});

test("a node that is not running says so", async () => {
  const cluster = new TestCluster();
  const node = cluster.start("n1");
  assert.throws(() => node.membership.start(), code("GOSSIP_CLOSED"));
  await node.membership.close();
  await node.membership.close();
  await assert.rejects(node.membership.join([node.place]), code("GOSSIP_CLOSED"));
  await assert.rejects(node.membership.leave(1), code("GOSSIP_CLOSED"));
  assert.throws(() => node.membership.updateMeta(), code("GOSSIP_CLOSED"));
  assert.throws(() => cluster.start(""), code("INVALID_NAME"));
});

test("whoever waits for a node that is closed is told so at once", async () => {
  const cluster = new TestCluster();
  const [first, second] = await cluster.startMany(2);
  assert.ok(first !== undefined && second !== undefined);
  cluster.network.cut(() => true);
  const joining = first.membership.join([second.place]);
  const leaving = first.membership.leave(60_000);
  await first.membership.close();
  await assert.rejects(joining, code("GOSSIP_CLOSED"));
  assert.equal(await leaving, false);
  cluster.close();
});
