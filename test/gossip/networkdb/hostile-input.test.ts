import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkDb } from "../../../src/gossip/networkdb/index.ts";
import { maxLeap } from "../../../src/gossip/networkdb/lamport-clock.ts";
import type { Message } from "../../../src/gossip/networkdb/messages.ts";
import { encodeMessage } from "../../../src/gossip/networkdb/wire/codec.ts";
import { bytes, clusterOf, everybodySees, seen } from "./cluster-fixture.ts";
import type { FakeCluster } from "./fake-cluster.ts";
import { SeededDice } from "./virtual-time.ts";

const limits = { maxEntries: 2_000, maxNetworks: 100, maxQueued: 500, maxValueBytes: 1_000 };
/** Of each sort: mutated bytes, and well-formed messages with absurd contents. */
const messages = 52_000;

test(`${2 * messages} hostile messages crash nothing, fill nothing, and leave the cluster at work`, async () => {
  const cluster = await clusterOf(3, limits);
  for (const name of ["a", "b", "c"]) cluster.db(name).create("n1", "t", `k-${name}`, bytes(name));
  await cluster.time.run(2_000);
  const dice = new SeededDice(7);
  const a = cluster.db("a");
  for (let i = 0; i < messages; i++) {
    give(a, mutated(dice, encodeMessage(plausible(dice))), dice);
    give(a, encodeMessage(absurd(dice)), dice);
    if (i % 500 === 0) await cluster.time.run(200);
  }
  await checkBounds(cluster);
  const { refused } = a.counters();
  for (const reason of ["malformed", "time-absurd", "unknown-node", "unknown-network", "too-long"] as const)
    assert.ok(refused[reason] > 100, `${reason}: ${refused[reason]}`);
  assert.ok(cluster.warnings.length < 2_000, `${cluster.warnings.length} lines of log`);
  a.update("n1", "t", "k-a", bytes("still here"));
  await cluster.time.run(120_000);
  for (const name of ["a", "b", "c"]) assert.equal(seen(cluster.db(name))["k-a"], "still here", name);
  cluster.stop();
});

async function checkBounds(cluster: FakeCluster): Promise<void> {
  await cluster.time.run(1_000);
  for (const name of ["a", "b", "c"]) {
    const db = cluster.db(name);
    assert.deepEqual(
      db
        .nodes()
        .map((node) => node.name)
        .sort(),
      ["a", "b", "c"],
    );
    for (const { entries, queued } of db.status()) {
      assert.ok(entries <= limits.maxEntries, `${entries} entries`);
      assert.ok(queued <= 3 * limits.maxQueued, `${queued} queued`);
    }
    // Each node's attachments, as a push/pull tells them: bounded for each of the three.
    assert.ok(db.localState(false).length < 3 * limits.maxNetworks * 300);
  }
}

function give(db: NetworkDb, message: Uint8Array, dice: SeededDice): void {
  if (dice.below(4) === 0) db.mergeState(message, dice.below(2) === 0);
  else db.received(message);
}

const nodes = ["b", "c", "a", "x"];
const networks = ["n1", "n1", "n1", "n2"];
const pick = <T>(dice: SeededDice, from: readonly T[]): T => {
  const found = from[dice.below(from.length)];
  if (found === undefined) throw new RangeError("nothing to pick from");
  return found;
};

/** A message that could come, so that a mutation of it gets far. Their keys are few. */
function plausible(dice: SeededDice, depth = 0): Message {
  const node = pick(dice, nodes);
  const network = pick(dice, networks);
  const time = dice.below(1_000);
  const kind = dice.below(depth < 2 ? 6 : 3);
  if (kind === 0) return { kind: "node", change: "join", node, time };
  if (kind === 1) return { kind: "network", change: "join", node, network, time };
  if (kind === 2) return tableEvent(dice, { node, network, time });
  const parts = Array.from({ length: dice.below(4) }, () => encodeMessage(plausible(dice, depth + 1)));
  if (kind === 3) return { kind: "compound", parts };
  if (kind === 4) {
    const payload = encodeMessage({ kind: "compound", parts });
    return { kind: "bulk-sync", time, unsolicited: dice.below(2) === 0, node, networks: [network], payload };
  }
  const attachments = [{ network, node, time, leaving: dice.below(2) === 0 }];
  return { kind: "push-pull", time, node, attachments };
}

function tableEvent(dice: SeededDice, place: { node: string; network: string; time: number }): Message {
  const change = pick(dice, ["create", "update", "delete"] as const);
  const value = new Uint8Array(dice.below(50)).fill(7);
  return {
    kind: "table",
    change,
    ...place,
    table: "t",
    key: `f${dice.below(20)}`,
    value,
    residualSeconds: dice.below(1_800),
  };
}

/** Well-formed, and beyond all measure: times, seconds, names, numbers of things. */
function absurd(dice: SeededDice): Message {
  const times = [
    0,
    5,
    1_000,
    2 ** 42,
    maxLeap * 3,
    2 ** 53,
    2 ** 63,
    2 ** 64 - 2048,
    Number.MAX_SAFE_INTEGER,
  ];
  const time = pick(dice, times);
  const node = pick(dice, [...nodes, `unknown-${dice.below(1e9)}`, "n".repeat(2_000)]);
  const network = pick(dice, [...networks, `unknown-${dice.below(1e9)}`, "n".repeat(2_000)]);
  const kind = dice.below(6);
  if (kind === 0) return { kind: "node", change: pick(dice, ["join", "leave"] as const), node, time };
  if (kind === 1)
    return {
      kind: "network",
      change: pick(dice, ["join", "leave"] as const),
      node,
      network,
      time: dice.below(1e6),
    };
  if (kind === 2)
    return {
      kind: "table",
      change: pick(dice, ["create", "delete"] as const),
      node: pick(dice, nodes),
      network: "n1",
      time: pick(dice, [time, dice.below(1e6)]),
      table: `t${dice.below(1e9)}`,
      key: pick(dice, ["k", `k${dice.below(1e9)}`, "k".repeat(5_000)]),
      value: new Uint8Array(pick(dice, [0, 10, 5_000])),
      residualSeconds: pick(dice, [-(2 ** 31), -1, 0, 1, 2 ** 31 - 1]),
    };
  if (kind === 3) {
    // A compound of compounds, deeper than any that is sent.
    let parts = [encodeMessage({ kind: "node", change: "join", node: "b", time: 1 })];
    for (let i = 0; i < 20; i++) parts = [encodeMessage({ kind: "compound", parts })];
    return { kind: "compound", parts };
  }
  if (kind === 4) {
    const many = Array.from({ length: 50 }, () => `unknown-${dice.below(1e9)}`);
    const payload = new Uint8Array(20);
    return { kind: "bulk-sync", time, unsolicited: true, node, networks: [...many, network], payload };
  }
  const attachments = Array.from({ length: 50 }, () => ({
    network: `unknown-${dice.below(1e9)}`,
    node: pick(dice, nodes),
    time: pick(dice, [time, dice.below(1e6)]),
    leaving: dice.below(2) === 0,
  }));
  return { kind: "push-pull", time: pick(dice, [time, 5]), node, attachments };
}

/** One to four changes: bits, bytes, lengths, ends, repeats. */
function mutated(dice: SeededDice, message: Uint8Array): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(message);
  for (let i = dice.below(4); i >= 0; i--) {
    const at = dice.below(bytes.length);
    const how = dice.below(5);
    if (how === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8));
    else if (how === 1) bytes[at] = pick(dice, [0, 1, 0x7f, 0x80, 0xff, dice.below(256)]);
    else if (how === 2) bytes = bytes.slice(0, at);
    else if (how === 3)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(dice.below(bytes.length))]);
    else bytes = Buffer.concat([bytes.subarray(0, at), Uint8Array.of(dice.below(256)), bytes.subarray(at)]);
  }
  return bytes;
}

test("one message with an absurd time takes no effect, and later writes go on", async () => {
  const cluster = await clusterOf(2);
  for (const time of [2 ** 53, 2 ** 64 - 2048, maxLeap * 2]) {
    const base = { node: "b", network: "n1", time };
    cluster.db("a").received(encodeMessage({ kind: "network", change: "leave", ...base }));
    cluster.db("a").received(encodeMessage({ kind: "node", change: "leave", node: "b", time }));
    cluster.db("a").mergeState(encodeMessage({ kind: "push-pull", node: "b", time, attachments: [] }), false);
    const event = { kind: "table", change: "create", table: "t", key: "k", value: bytes("x") } as const;
    cluster.db("a").received(encodeMessage({ ...event, ...base, residualSeconds: 0 }));
  }
  assert.equal(cluster.db("a").counters().refused["time-absurd"], 12);
  cluster.db("b").create("n1", "t", "k", bytes("1"));
  await cluster.time.run(2_000);
  everybodySees(cluster, { k: "1" });
});

test("a tombstone with an absurd time to live is forgotten as all others are", async () => {
  const cluster = await clusterOf(1, { tombstoneTime: 60_000 });
  cluster.start("b", "a");
  await cluster.time.run(5_000);
  const a = cluster.db("a");
  a.received(encodeMessage({ kind: "network", change: "join", node: "b", network: "n1", time: 1_000 }));
  for (const [i, residualSeconds] of [2 ** 31 - 1, -1, 0, 30].entries()) {
    const event = {
      kind: "table",
      change: "delete",
      node: "b",
      network: "n1",
      table: "t",
      key: `k${i}`,
    } as const;
    a.received(encodeMessage({ ...event, time: 5, value: bytes(""), residualSeconds }));
  }
  assert.equal(a.status()[0]?.entries, 4);
  await cluster.time.run(40_000);
  assert.equal(a.status()[0]?.entries, 3);
  await cluster.time.run(30_000);
  assert.equal(a.status()[0]?.entries, 0);
});

test("an answer that was not asked for, or not by a known node, makes nobody send tables", async () => {
  const cluster = await clusterOf(2);
  const a = cluster.db("a");
  const payload = encodeMessage({ kind: "compound", parts: [] });
  const before = a.counters().bulkSyncs;
  for (let i = 0; i < 1_000; i++)
    a.received(
      encodeMessage({
        kind: "bulk-sync",
        time: 1,
        unsolicited: true,
        node: `x${i}`,
        networks: ["n1"],
        payload,
      }),
    );
  assert.equal(a.counters().refused["unknown-node"], 1_000);
  a.received(
    encodeMessage({ kind: "bulk-sync", time: 1, unsolicited: false, node: "b", networks: ["n1"], payload }),
  );
  assert.equal(a.counters().bulkSyncs, before);
});
