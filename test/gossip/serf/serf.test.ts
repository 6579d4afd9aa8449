import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError } from "../../../src/core/index.ts";
import { type KeyAnswers, Keyring, type Membership, Serf, serfVersions } from "../../../src/gossip/index.ts";
import {
  decodeIntent,
  decodeKeyRequest,
  decodeKeyResponse,
  decodeQuery,
  decodeQueryResponse,
  decodeRelay,
  decodeSerfState,
  encodeIntent,
  encodeKeyRequest,
  encodeKeyResponse,
  encodeQuery,
  encodeQueryResponse,
  encodeRelay,
  encodeSerfState,
} from "../../../src/gossip/serf/serf-messages.ts";
import { decodeTags, encodeTags, passesFilters } from "../../../src/gossip/serf/tags.ts";
import { PackReader, PackWriter } from "../../../src/gossip/wire/index.ts";
import { TestCluster } from "../cluster-fixture.ts";

interface SerfNode {
  readonly serf: Serf;
  readonly membership: Membership;
  readonly keyring: Keyring;
}

/** Nodes of Serf's layer in memory, each of which joins the first. */
async function serfCluster(count: number) {
  const cluster = new TestCluster(5, { delay: [1, 5] });
  const nodes: SerfNode[] = [];
  for (let i = 1; i <= count; i++) nodes.push(await startSerf(cluster, `s${i}`, nodes[0]));
  const statusOf = (node: SerfNode, name: string) =>
    node.serf.list().find(({ member }) => member.name === name)?.status;
  return { cluster, nodes, statusOf };
}

async function startSerf(cluster: TestCluster, name: string, seed: SerfNode | undefined): Promise<SerfNode> {
  const keyring = new Keyring([Buffer.alloc(16, 1)]);
  const log = { warn: () => {}, info: () => {} };
  const environment = { timers: cluster.timers, dice: cluster.dice, log };
  const serf = new Serf({ environment, keyring, tags: new Map([["role", name]]) });
  const { membership } = cluster.start(
    name,
    { keyring, delegate: serf, delegateVersions: serfVersions },
    undefined,
    (one) => serf.attach(one),
  );
  if (seed !== undefined) await cluster.settle(serf.join([seed.membership.place]));
  return { serf, membership, keyring };
}

test("members are listed with their tags, and those that left, failed and came back as such", async () => {
  const { cluster, nodes, statusOf } = await serfCluster(4);
  const [first, second, third, fourth] = nodes;
  assert.ok(first && second && third && fourth);
  const names = ["s1", "s2", "s3", "s4"];
  const allAlive = () => nodes.every((node) => names.every((name) => statusOf(node, name) === "alive"));
  cluster.until("all alive", allAlive, 10_000);
  const tags = first.serf.list().map(({ member, tags: own }) => `${member.name} ${own.get("role")}`);
  assert.deepEqual(
    tags.sort(),
    names.map((name) => `${name} ${name}`),
  );

  await cluster.settle(second.serf.leave(10_000));
  await second.membership.close();
  cluster.until(
    "left",
    () => [first, third, fourth].every((node) => statusOf(node, "s2") === "left"),
    10_000,
  );
  await third.membership.close();
  cluster.until("failed", () => [first, fourth].every((node) => statusOf(node, "s3") === "failed"), 60_000);

  const back = await startSerf(cluster, "s2", first);
  cluster.until("back", () => [first, fourth].every((node) => statusOf(node, "s2") === "alive"), 10_000);
  assert.equal(statusOf(back, "s1"), "alive");
  for (const { serf } of [...nodes, back]) serf.close();
  cluster.close();
});

test("keys are rotated everywhere by one node's questions, and each answer is counted", async () => {
  const { cluster, nodes } = await serfCluster(5);
  const [first] = nodes;
  assert.ok(first !== undefined);
  const next = Buffer.alloc(32, 2);
  const done = { members: 5, answered: 5, failures: new Map() };
  for (const [operation, key] of [
    ["install", next],
    ["use", next],
    ["remove", Buffer.alloc(16, 1)],
  ] as const) {
    const answers: KeyAnswers = await cluster.settle(first.serf.keys(operation, key));
    const { members, answered, failures } = answers;
    assert.deepEqual({ members, answered, failures }, done, operation);
  }
  const { keys, primaries } = await cluster.settle(first.serf.keys("list"));
  assert.deepEqual([...keys], [[next.toString("base64"), 5]]);
  assert.deepEqual([...primaries], [[next.toString("base64"), 5]]);
  for (const { keyring } of nodes)
    assert.deepEqual(
      keyring.keys.map((key) => key.length),
      [32],
    );
  const refused = await cluster.settle(first.serf.keys("remove", next));
  assert.equal(refused.failures.size, 5);
  cluster.close();
});

test("a node without a keyring says so when it asks for keys", async () => {
  const log = { warn: () => {}, info: () => {} };
  const cluster = new TestCluster();
  const serf = new Serf({ environment: { timers: cluster.timers, dice: cluster.dice, log } });
  await assert.rejects(serf.keys("list"), (error) => isWeftError(error, "GOSSIP_KEY"));
});

test("Serf's messages come back as they were written", () => {
  const read = (bytes: Uint8Array) => new PackReader(bytes, 1);
  const intent = { kind: "leave", time: 70_000, node: "n1", prune: true } as const;
  assert.deepEqual(decodeIntent("leave", read(encodeIntent(intent))), intent);
  const state = {
    time: 5,
    statusTimes: new Map([["n1", 3]]),
    left: ["n2"],
    eventTime: 1,
    queryTime: 2 ** 40,
  };
  assert.deepEqual(decodeSerfState(read(encodeSerfState(state))), state);
  const query = {
    time: 9,
    id: 0xfffffff0,
    address: Uint8Array.of(10, 0, 0, 1),
    port: 7946,
    sourceNode: "n1",
    filters: [Uint8Array.of(0, 0x91, 0xa2, 0x6e, 0x31)],
    flags: 1,
    relayFactor: 3,
    timeout: 15_000,
    name: "_serf_list-keys",
    payload: Uint8Array.of(7, 0x80),
  };
  const sameQuery = decodeQuery(read(encodeQuery(query)));
  assert.deepEqual({ ...sameQuery, payload: Uint8Array.from(sameQuery.payload) }, query);
  const response = { time: 9, id: 4, from: "n2", flags: 0, payload: Uint8Array.of(8) };
  assert.deepEqual(decodeQueryResponse(read(encodeQueryResponse(response))), response);
  const relay = decodeRelay(
    read(encodeRelay({ address: Uint8Array.of(10, 0, 0, 1), port: 7946, message: Buffer.from("m") }, "n1")),
  );
  assert.deepEqual(
    [...relay.address, relay.port, Buffer.from(relay.message).toString()],
    [10, 0, 0, 1, 7946, "m"],
  );
  assert.deepEqual(
    [...decodeKeyRequest(encodeKeyRequest(Buffer.from("0123456789abcdef")))],
    [...Buffer.from("0123456789abcdef")],
  );
  const keys = { ok: true, message: "m", keys: ["a", "b"], primary: "a" };
  assert.deepEqual(decodeKeyResponse(encodeKeyResponse(keys)), keys);
});

test("tags and filters are read as Serf writes them, and what cannot be read harms nobody", () => {
  const tags = new Map([
    ["role", "web"],
    ["dc", "east"],
  ]);
  assert.deepEqual(decodeTags(encodeTags(tags)), tags);
  assert.deepEqual(decodeTags(Buffer.from("old role")), new Map([["role", "old role"]]));
  assert.deepEqual(decodeTags(Buffer.from("ff82a1", "hex")), new Map());
  const nodes = new PackWriter().byte(0).array(2).text("n1").text("n2").written;
  assert.equal(passesFilters([nodes], "n2"), true);
  assert.equal(passesFilters([nodes], "n3"), false);
  const byTag = new PackWriter().byte(1).map(2).text("Tag").text("role").text("Expr").text("(a+)+$").written;
  assert.equal(passesFilters([byTag], "n1"), false); // others' expressions are not run
});
