import assert from "node:assert/strict";
import { test } from "node:test";
import { Keyring } from "../../../src/gossip/index.ts";
import { TestCluster, type TestNode } from "../cluster-fixture.ts";

const key = (fill: number) => Buffer.alloc(32, fill);

async function encrypted(count: number) {
  const cluster = new TestCluster();
  const rings: Keyring[] = [];
  const nodes: TestNode[] = [];
  for (let i = 1; i <= count; i++) {
    const keyring = new Keyring([key(1)]);
    const node = cluster.start(`n${i}`, { keyring });
    const [first] = nodes;
    if (first !== undefined) await cluster.settle(node.membership.join([first.place]));
    rings.push(keyring);
    nodes.push(node);
  }
  return { cluster, nodes, rings };
}

test("keys are rotated node by node without losing one message", async () => {
  const { cluster, nodes, rings } = await encrypted(5);
  let sent = 0;
  const everybodySends = () => {
    for (const { membership } of nodes)
      for (const member of membership.members()) {
        if (member.name === membership.self) continue;
        membership.sendPacket(member, Buffer.from("m"));
        sent++;
      }
    cluster.timers.advance(300);
  };
  for (const step of [
    (ring: Keyring) => ring.install(key(2)),
    (ring: Keyring) => ring.use(key(2)),
    (ring: Keyring) => ring.remove(key(1)),
  ])
    for (const ring of rings) {
      step(ring);
      everybodySends();
    }
  cluster.timers.advance(60_000);
  const received = nodes.reduce((sum, node) => sum + node.received.length, 0);
  assert.equal(received, sent);
  for (const { membership } of nodes) {
    assert.equal(membership.counters.refused.undecryptable, 0);
    assert.equal(membership.counters.suspicions, 0);
  }
  cluster.close();
});

test("plain and foreign nodes cannot join, change nothing, and are logged at most once a second", async () => {
  const { cluster, nodes } = await encrypted(3);
  const [first] = nodes;
  assert.ok(first !== undefined);
  const plain = cluster.start("plain");
  const foreign = cluster.start("foreign", { keyring: new Keyring([key(9)]) });
  for (const intruder of [plain, foreign]) {
    await assert.rejects(cluster.settle(intruder.membership.join([first.place])), /closed|encrypt|key/);
    for (let i = 0; i < 100; i++) intruder.membership.sendPacketTo(first.place, Buffer.from("hello"));
  }
  const before = first.warnings.length;
  cluster.timers.advance(500);
  assert.ok(first.membership.counters.refused.undecryptable >= 200);
  assert.ok(first.warnings.length - before <= 2);
  assert.deepEqual(first.received, []);
  assert.ok(first.sees(["n1", "n2", "n3"]));
  cluster.close();
});

test("a cluster goes from plain to encrypted one step at a time, and stays whole", async () => {
  const cluster = new TestCluster();
  let nodes = [...(await cluster.startMany(3))];
  const names = ["n1", "n2", "n3"];
  for (const step of [
    { verifyIncoming: false, verifyOutgoing: false },
    { verifyIncoming: false, verifyOutgoing: true },
    { verifyIncoming: true, verifyOutgoing: true },
  ]) {
    for (const name of names) {
      const old = cluster.node(name);
      old.kill();
      const node = cluster.start(name, { ...step, keyring: new Keyring([key(1)]) });
      const seed = cluster.node(name === "n1" ? "n2" : "n1");
      await cluster.settle(node.membership.join([seed.place]));
      nodes = names.map((one) => cluster.node(one));
      cluster.until("all see all", () => nodes.every((one) => one.sees(names)), 10_000);
    }
  }
  cluster.timers.advance(30_000);
  assert.ok(nodes.every((one) => one.sees(names)));
  cluster.close();
});
