import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError } from "../../../src/core/index.ts";
import type { TableChange } from "../../../src/gossip/networkdb/index.ts";
import { encodeMessage } from "../../../src/gossip/networkdb/wire/codec.ts";
import { bytes, clusterOf, everybodySees, seen, tableEvents } from "./cluster-fixture.ts";
import { FakeCluster, fairWeather } from "./fake-cluster.ts";

test("what one node writes is seen by all members of the network, changes and goes", async () => {
  const cluster = await clusterOf(5);
  cluster.db("a").create("n1", "t", "k", bytes("1"));
  await cluster.time.run(1_000);
  everybodySees(cluster, { k: "1" });
  cluster.db("a").update("n1", "t", "k", bytes("2"));
  await cluster.time.run(1_000);
  everybodySees(cluster, { k: "2" });
  assert.equal(cluster.db("c").get("n1", "t", "k")?.owner, "a");
  cluster.db("a").delete("n1", "t", "k");
  await cluster.time.run(1_000);
  everybodySees(cluster, {});
});

test("a write is at some members at once, not at the next interval", async () => {
  const cluster = await clusterOf(4, { gossipInterval: 1_000_000 });
  cluster.db("a").create("n1", "t", "k", bytes("1"));
  await cluster.time.run(20);
  everybodySees(cluster, { k: "1" });
});

test("a value too long for a packet is there as soon", async () => {
  const cluster = await clusterOf(6, { bulkSyncInterval: 1_000_000 });
  const value = "v".repeat(20_000);
  cluster.db("a").create("n1", "t", "k", bytes(value));
  await cluster.time.run(2_000);
  everybodySees(cluster, { k: value });
});

test("news of a network goes to its members alone", async () => {
  const cluster = await clusterOf(5);
  for (const name of ["a", "b"]) void cluster.db(name).joinNetwork("n2");
  await cluster.time.run(40_000);
  cluster.recorded.length = 0;
  cluster.db("a").create("n2", "secret", "k", bytes("only for n2"));
  await cluster.time.run(40_000);
  const receivers = new Set(
    cluster.recorded.flatMap(({ to, bytes }) => (Buffer.from(bytes).includes("only for n2") ? [to] : [])),
  );
  assert.deepEqual([...receivers].sort(), ["a", "b"]); // a hears it back from b.
  assert.deepEqual(seen(cluster.db("b"), "n2", "secret"), { k: "only for n2" });
  assert.deepEqual([...cluster.db("e").members("n2")].sort(), ["a", "b"]);
  assert.throws(
    () => cluster.db("e").list("n2", "secret"),
    (e) => isWeftError(e, "TABLE_NETWORK_NOT_JOINED"),
  );
});

test("a node that comes to a network has its entries when joinNetwork resolves", async () => {
  const cluster = await clusterOf(4);
  for (let i = 0; i < 2_000; i++) cluster.db("a").create("n1", "t", `k${i}`, bytes(`value ${i}`));
  await cluster.time.run(60_000);
  const { db } = cluster.start("z", "a");
  await cluster.time.run(4_000);
  let entries = 0;
  void db.joinNetwork("n1").then(() => {
    entries = db.list("n1", "t").length;
  });
  await cluster.time.run(1_000);
  assert.equal(entries, 2_000);
});

test("an answer in many pieces may take longer than the time for one", async () => {
  const cluster = await clusterOf(2, { bulkSyncPieceBytes: 500, bulkSyncTimeout: 100 });
  for (let i = 0; i < 200; i++) cluster.db("a").create("n1", "t", `k${i}`, bytes("v".repeat(50)));
  await cluster.time.run(20_000);
  cluster.kill("b");
  await cluster.time.run(10_000);
  const { db } = cluster.start("z", "a");
  await cluster.time.run(4_000);
  cluster.weather = { loss: 0, duplication: 0, delay: [10, 10] };
  let entries = 0;
  void db.joinNetwork("n1").then(() => {
    entries = db.list("n1", "t").length;
  });
  await cluster.time.run(3_000);
  assert.equal(entries, 200);
});

test("members that do not answer keep nobody from coming to a network", async () => {
  const cluster = await clusterOf(6);
  cluster.db("f").create("n1", "t", "k", bytes("1"));
  const { db } = cluster.start("z", "a");
  await cluster.time.run(4_000);
  for (const name of ["a", "b", "c"]) cluster.kill(name);
  let isJoined = false;
  void db.joinNetwork("n1").then(() => {
    isJoined = true;
  });
  await cluster.time.run(1_000); // Far below the streams' timeout of 10 s.
  assert.ok(isJoined);
  assert.deepEqual(seen(db), { k: "1" });
});

test("joinNetwork resolves when there is nobody else, and a later member's entries come at once", async () => {
  const cluster = new FakeCluster(1, { bulkSyncInterval: 1_000_000 });
  const a = cluster.start("a").db;
  await a.joinNetwork("n1"); // No time passes.
  a.create("n1", "t", "ka", bytes("1"));
  const b = cluster.start("b").db; // Does not know a yet.
  await b.joinNetwork("n1");
  b.create("n1", "t", "kb", bytes("2"));
  await cluster.time.run(35_000); // A push/pull tells each of the other's network.
  everybodySees(cluster, { ka: "1", kb: "2" });
});

test("two who write one key at the same time agree, whatever comes first", async () => {
  const cluster = await clusterOf(6);
  cluster.partition({ a: 0, b: 0, c: 0, d: 1, e: 1, f: 1 });
  cluster.db("a").create("n1", "t", "k", bytes("of a"));
  cluster.db("f").create("n1", "t", "k", bytes("of f"));
  await cluster.time.run(100);
  cluster.heal();
  await cluster.time.run(40_000);
  everybodySees(cluster, { k: "of f" });
});

test("who wins a tie writes its entry anew, so that peers agree who keep what came first", async () => {
  const cluster = await clusterOf(2);
  cluster.db("b").create("n1", "t", "k", bytes("of b"));
  const event = { kind: "table", change: "create", node: "a", network: "n1", table: "t", key: "k" } as const;
  const tie = encodeMessage({ ...event, time: 1, value: bytes("of a"), residualSeconds: 0 });
  cluster.db("b").received(tie);
  assert.equal(cluster.db("b").counters().ties, 1);
  cluster.recorded.length = 0;
  await cluster.time.run(50);
  const sent = cluster.recorded.flatMap(({ to, bytes }) => (to === "a" ? tableEvents(bytes) : []));
  assert.deepEqual(
    sent.map(({ node, time, key }) => [node, time, key]),
    [["b", 2, "k"]],
  );
  everybodySees(cluster, { k: "of b" });
});

test("the entries of a failed node are hidden, and are back when it is", async () => {
  const cluster = await clusterOf(4);
  const changes: string[] = [];
  cluster.db("a").create("n1", "t", "ka", bytes("1"));
  cluster.db("d").create("n1", "t", "kd", bytes("2"));
  await cluster.time.run(1_000);
  cluster.db("a").watch({ table: "t" }, ({ change, key }) => changes.push(`${change} ${key}`));
  cluster.partition({ d: 1 });
  await cluster.time.run(30_000);
  assert.deepEqual(seen(cluster.db("a")), { ka: "1" });
  assert.deepEqual(seen(cluster.db("d")), { kd: "2" });
  cluster.heal();
  await cluster.time.run(5_000);
  everybodySees(cluster, { ka: "1", kd: "2" });
  assert.deepEqual(changes, ["created kd", "deleted kd", "created kd"]);
});

test("what was written on both sides of a cut is everywhere soon after it, without waiting for a bulk sync", async () => {
  const cluster = await clusterOf(6, { bulkSyncInterval: 1_000_000 });
  cluster.partition({ d: 1, e: 1, f: 1 });
  await cluster.time.run(20_000);
  cluster.db("a").create("n1", "t", "ka", bytes("1"));
  cluster.db("f").create("n1", "t", "kf", bytes("2"));
  await cluster.time.run(60_000); // Long after it was gossiped within each side.
  cluster.heal();
  await cluster.time.run(10_000);
  everybodySees(cluster, { ka: "1", kf: "2" });
});

test("a node cut off for 30 s that comes back makes no live node's entry vanish (moby#53141)", async () => {
  const cluster = await clusterOf(6);
  const names = [...cluster.nodes.keys()];
  for (const name of names) cluster.db(name).create("n1", "t", `k-${name}`, bytes(name));
  await cluster.time.run(2_000);
  const lost: string[] = [];
  for (const name of ["a", "b", "c", "d", "e"])
    cluster.db(name).watch({ network: "n1" }, (one) => {
      if (one.change === "deleted" && one.owner !== "f") lost.push(`${name} lost ${one.key}`);
    });
  cluster.partition({ f: 1 });
  await cluster.time.run(30_000);
  cluster.db("f").create("n1", "t", "k-new", bytes("meanwhile"));
  cluster.heal();
  await cluster.time.run(5_000);
  everybodySees(cluster, {
    ...Object.fromEntries(names.map((name) => [`k-${name}`, name])),
    "k-new": "meanwhile",
  });
  await cluster.time.run(120_000);
  assert.deepEqual(lost, []);
});

test("what a node wrote before its restart is gone within one push/pull of its return", async () => {
  for (const rejoins of [true, false]) {
    const cluster = await clusterOf(4);
    for (const key of ["old", "kept", "changed"]) cluster.db("d").create("n1", "t", key, bytes("1"));
    await cluster.time.run(1_000);
    cluster.kill("d");
    await cluster.time.run(500); // Too soon for the others to notice.
    const { db } = cluster.start("d", "a");
    if (rejoins) {
      void db.joinNetwork("n1");
      db.create("n1", "t", "kept", bytes("1"));
      db.create("n1", "t", "changed", bytes("2"));
    }
    await cluster.time.run(30_000);
    const expected: Record<string, string> = rejoins ? { kept: "1", changed: "2" } : {};
    for (const name of ["a", "b", "c"]) assert.deepEqual(seen(cluster.db(name)), expected, name);
    if (rejoins) assert.deepEqual(seen(db), expected);
  }
});

test("a node's own push/pull tells where it no longer is", async () => {
  const cluster = await clusterOf(2);
  cluster.db("b").create("n1", "t", "k", bytes("1"));
  await cluster.time.run(1_000);
  const a = cluster.db("a");
  const said = (time: number) => encodeMessage({ kind: "push-pull", time, node: "b", attachments: [] });
  a.mergeState(said(1), false); // From before it came: it says nothing about that.
  assert.deepEqual(seen(a), { k: "1" });
  a.mergeState(said(1_000), false);
  assert.deepEqual(seen(a), {});
  assert.deepEqual(a.members("n1"), ["a"]);
});

test("what is written right after coming to a network goes with the news of that", async () => {
  const cluster = await clusterOf(3);
  void cluster.db("a").joinNetwork("n2");
  void cluster.db("b").joinNetwork("n2");
  await cluster.time.run(2_000);
  cluster.weather = { loss: 0, duplication: 0, delay: [50, 50] }; // Streams are slower than packets here.
  void cluster.db("c").joinNetwork("n2");
  cluster.db("c").create("n2", "t", "k", bytes("1"));
  await cluster.time.run(70);
  assert.deepEqual(seen(cluster.db("a"), "n2"), { k: "1" });
});

test("a node that returns under another name at the same address takes the old one's entries away", async () => {
  const cluster = await clusterOf(4);
  cluster.db("d").create("n1", "t", "old", bytes("1"));
  await cluster.time.run(1_000);
  cluster.kill("d");
  const { port } = cluster.node("d");
  cluster.start("new-d", "a", port);
  await cluster.time.run(2_000); // Before any failure was detected: that takes 3 s.
  assert.deepEqual(seen(cluster.db("a")), {});
  await cluster.time.run(60_000);
  for (const name of ["a", "b", "c"]) {
    assert.deepEqual(seen(cluster.db(name)), {}, name);
    assert.equal(
      cluster
        .db(name)
        .nodes()
        .find((node) => node.name === "new-d")?.state,
      "active",
    );
  }
});

test("leaving a network takes its own entries everywhere, and the others' here", async () => {
  const cluster = await clusterOf(3);
  const changes: string[] = [];
  cluster.db("a").create("n1", "t", "ka", bytes("1"));
  cluster.db("b").create("n1", "t", "kb", bytes("2"));
  await cluster.time.run(1_000);
  cluster.db("a").watch({ network: "n1" }, ({ change, key }) => changes.push(`${change} ${key}`));
  cluster.db("a").leaveNetwork("n1");
  await cluster.time.run(2_000);
  assert.deepEqual(changes, ["created kb", "deleted kb"]);
  for (const name of ["b", "c"]) assert.deepEqual(seen(cluster.db(name)), { kb: "2" });
  assert.deepEqual([...cluster.db("c").members("n1")].sort(), ["b", "c"]);
  void cluster.db("a").joinNetwork("n1");
  await cluster.time.run(1_000);
  everybodySees(cluster, { kb: "2" });
});

test("leaving the cluster takes its entries everywhere at once", async () => {
  const cluster = await clusterOf(4);
  cluster.db("d").create("n1", "t", "k", bytes("1"));
  await cluster.time.run(1_000);
  cluster.db("d").leave();
  await cluster.time.run(50);
  for (const name of ["a", "b", "c"]) assert.deepEqual(seen(cluster.db(name)), {}, name);
  assert.equal(cluster.db("d").localState(false).length, 0); // It would say that it is there.
  await cluster.leave("d");
  await cluster.time.run(60_000);
  for (const name of ["a", "b", "c"]) {
    assert.deepEqual(seen(cluster.db(name)), {}, name);
    assert.deepEqual(
      cluster
        .db(name)
        .nodes()
        .find((node) => node.name === "d")?.state,
      "left",
    );
  }
});

test("a node that is said to have left, and has not, is back with its entries", async () => {
  const cluster = await clusterOf(3);
  cluster.db("c").create("n1", "t", "k", bytes("1"));
  await cluster.time.run(1_000);
  const lie = encodeMessage({ kind: "node", change: "leave", node: "c", time: 1_000 });
  cluster.db("a").received(lie);
  cluster.db("b").received(lie);
  assert.deepEqual(seen(cluster.db("a")), {});
  await cluster.time.run(60_000);
  everybodySees(cluster, { k: "1" });
});

test("a node that is said to have left, and never hears of it, is back when it was there all the time", async () => {
  const cluster = await clusterOf(2);
  cluster.db("b").create("n1", "t", "k", bytes("1"));
  await cluster.time.run(1_000);
  cluster.weather = { loss: 1, duplication: 0, delay: [1, 1] };
  cluster.db("a").received(encodeMessage({ kind: "node", change: "leave", node: "b", time: 500_000 }));
  await cluster.time.run(5_000);
  assert.deepEqual(seen(cluster.db("a")), {});
  cluster.weather = fairWeather;
  await cluster.time.run(90_000);
  everybodySees(cluster, { k: "1" });
});

test("what was deleted stays so, although one who missed it returns after all have forgotten it", async () => {
  const cluster = await clusterOf(4, { tombstoneTime: 60_000, leftNetworkTime: 65_000 });
  cluster.db("a").create("n1", "t", "zombie", bytes("1"));
  await cluster.time.run(1_000);
  cluster.partition({ d: 1 });
  await cluster.time.run(20_000);
  cluster.db("a").delete("n1", "t", "zombie");
  await cluster.time.run(300_000);
  assert.equal(cluster.db("a").status()[0]?.entries, 0);
  cluster.heal();
  await cluster.time.run(60_000);
  everybodySees(cluster, {});
});

test("any node may overwrite and delete any entry; its owner is who wrote it last", async () => {
  const cluster = await clusterOf(3);
  cluster.db("a").create("n1", "t", "k", bytes("1"));
  await cluster.time.run(1_000);
  assert.throws(
    () => cluster.db("b").create("n1", "t", "k", bytes("2")),
    (e) => isWeftError(e, "TABLE_ENTRY_EXISTS"),
  );
  cluster.db("b").update("n1", "t", "k", bytes("2"));
  await cluster.time.run(1_000);
  everybodySees(cluster, { k: "2" });
  assert.equal(cluster.db("a").get("n1", "t", "k")?.owner, "b");
  cluster.db("c").delete("n1", "t", "k");
  await cluster.time.run(1_000);
  everybodySees(cluster, {});
  assert.throws(
    () => cluster.db("a").update("n1", "t", "k", bytes("3")),
    (e) => isWeftError(e, "TABLE_ENTRY_NOT_FOUND"),
  );
  cluster.db("a").create("n1", "t", "k", bytes("4"));
  await cluster.time.run(1_000);
  everybodySees(cluster, { k: "4" });
});

test("a watcher is told what is there, then what changes, of what it asked for", async () => {
  const cluster = await clusterOf(2);
  const told: Pick<TableChange, "change" | "table" | "key" | "value" | "previous">[] = [];
  const [a, b] = [cluster.db("a"), cluster.db("b")];
  b.create("n1", "driver-routes", "r1", bytes("via x"));
  b.create("n1", "t", "other", bytes("1"));
  a.create("n1", "driver-routes", "own", bytes("not told"));
  await cluster.time.run(1_000);
  const unwatch = a.watch({ network: "n1", table: "driver-routes" }, (one) => told.push(one));
  b.update("n1", "driver-routes", "r1", bytes("via y"));
  await cluster.time.run(1_000);
  b.delete("n1", "driver-routes", "r1");
  await cluster.time.run(1_000);
  unwatch();
  b.create("n1", "driver-routes", "r2", bytes("via z"));
  await cluster.time.run(1_000);
  assert.deepEqual(
    told.map(({ change, key, value, previous }) => [
      change,
      key,
      Buffer.from(value).toString(),
      previous && Buffer.from(previous).toString(),
    ]),
    [
      ["created", "r1", "via x", undefined],
      ["updated", "r1", "via y", "via x"],
      ["deleted", "r1", "via y", undefined],
    ],
  );
  assert.deepEqual([...a.tables("n1")].sort(), ["driver-routes", "t"]);
});

test("a watcher that throws is logged and hurts nobody, and one that writes is told in order", async () => {
  const cluster = await clusterOf(2);
  const [a, b] = [cluster.db("a"), cluster.db("b")];
  const told: string[] = [];
  a.watch({}, () => {
    throw new Error("watcher's own");
  });
  a.watch({}, ({ change, key }) => {
    if (change === "created" && key === "k1") a.leaveNetwork("n1");
  });
  a.watch({}, ({ change, key }) => told.push(`${change} ${key}`));
  b.create("n1", "t", "k1", bytes("1"));
  await cluster.time.run(1_000);
  assert.deepEqual(told, ["created k1", "deleted k1"]);
  assert.ok(cluster.warnings.some((warning) => warning.includes("watcher's own")));
});

test("what cannot be written is refused, with what would be right", async () => {
  const cluster = await clusterOf(1, { maxValueBytes: 10, maxEntries: 1 });
  const a = cluster.db("a");
  const refused = (code: Parameters<typeof isWeftError>[1], task: () => unknown) =>
    assert.throws(task, (error) => isWeftError(error, code));
  refused("INVALID_TABLE_ENTRY", () => a.create("n1", "t", "", bytes("1")));
  refused("INVALID_TABLE_ENTRY", () => a.create("n1", "", "k", bytes("1")));
  refused("INVALID_TABLE_ENTRY", () => a.create("n1", "t", "\ud800", bytes("1")));
  refused("INVALID_TABLE_ENTRY", () => a.create("n1", "t", "k", bytes("12345678901")));
  refused("INVALID_TABLE_ENTRY", () => a.joinNetwork(""));
  refused("TABLE_NETWORK_NOT_JOINED", () => a.create("n9", "t", "k", bytes("1")));
  refused("TABLE_ENTRY_NOT_FOUND", () => a.delete("n1", "t", "k"));
  a.create("n1", "t", "k", bytes("1"));
  refused("TABLE_FULL", () => a.create("n1", "t", "k2", bytes("1")));
});
