// Three agents of Serf's and three of weft's, each in a namespace of its own, in one encrypted cluster.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { type Peer, type PeerCluster, within, withPeers } from "./gossip-peers.ts";

/**
 * How long a failure may take to be seen by all, ms: a round of probes, a suspicion at its longest (six members on the
 * LAN profile: 24 s, gossip.md B.9), and the news of it.
 */
const suspicionTime = 6_000 + 24_000 + 5_000;
/** For what needs no suspicion. */
const shortly = 20_000;

/** Waits until each of `viewers` sees each of `subjects` in this state. */
async function seen(viewers: readonly Peer[], subjects: readonly Peer[], status: string, patience = shortly) {
  const views = () => Promise.all(viewers.map(async (one) => ({ viewer: one.name, ...(await one.view()) })));
  const isSo = async () =>
    (await views()).every((view) => {
      const states: Readonly<Record<string, string>> = view;
      return subjects.every(({ name }) => states[name] === status);
    });
  const what = `${subjects.map(({ name }) => name).join(", ")} ${status}`;
  await within(patience, what, isSo, async () => JSON.stringify(await views(), undefined, 1));
}

const without = (all: readonly Peer[], ...some: readonly Peer[]) => all.filter((one) => !some.includes(one));

async function together({ all, serf }: PeerCluster) {
  const [first] = serf;
  await first.start();
  for (const peer of without(all, first)) await peer.start(first.address);
  await seen(all, all, "alive");
}

async function rotateKeys(cluster: PeerCluster, oldKey: string) {
  const { serf, all } = cluster;
  const newKey = randomBytes(32).toString("base64");
  const [agent] = serf;
  agent.command("keys", `-install=${newKey}`);
  assert.match(agent.command("keys", "-list"), new RegExp(`${escaped(newKey)} +\\[6/6\\]`));
  agent.command("keys", `-use=${newKey}`);
  agent.command("keys", `-remove=${oldKey}`);
  const list = agent.command("keys", "-list");
  assert.match(list, new RegExp(`${escaped(newKey)} +\\[6/6\\]`));
  assert.doesNotMatch(list, new RegExp(escaped(oldKey)));
  await seen(all, all, "alive");
  await rotateByWeft(cluster, newKey);
}

/** The same by weft's own command, which Serf's agents answer. */
async function rotateByWeft({ serf, weft, all }: PeerCluster, oldKey: string) {
  const newKey = randomBytes(24).toString("base64");
  const [agent] = weft;
  for (const [operation, key] of [
    ["install", newKey],
    ["use", newKey],
    ["remove", oldKey],
  ] as const) {
    const { members, answered, failures } = await agent.keys(operation, key);
    assert.deepEqual({ members, answered, failures }, { members: 6, answered: 6, failures: {} }, operation);
  }
  const { keys, primaries } = await agent.keys("list");
  assert.deepEqual(keys, { [newKey]: 6 });
  assert.ok((primaries[newKey] ?? 0) >= weft.length); // this Serf's answers name no primary key
  assert.match(serf[0].command("keys", "-list"), new RegExp(`${escaped(newKey)} +\\[6/6\\]`));
  await seen(all, all, "alive");
}

const escaped = (text: string) => text.replace(/[^\w]/g, "\\$&");

test("serf's agents and weft's are one cluster: members, keys, leaving, a partition, sudden deaths", async () => {
  const key = randomBytes(16).toString("base64");
  await withPeers(key, async (cluster) => {
    const { serf, weft, all } = cluster;
    await together(cluster);

    await weft[2].leave();
    await seen(without(all, weft[2]), [weft[2]], "left");
    await serf[2].leave();
    await seen(without(all, weft[2], serf[2]), [serf[2]], "left");
    await weft[2].start(serf[1].address);
    await serf[2].start(weft[0].address);
    await seen(all, all, "alive");

    const left = [serf[0], weft[0], weft[1]];
    const right = without(all, ...left);
    cluster.cut();
    await seen(left, right, "failed", suspicionTime);
    await seen(right, left, "failed", suspicionTime);
    cluster.heal();
    await seen(all, all, "alive", 60_000);

    await weft[1].kill();
    await seen(without(all, weft[1]), [weft[1]], "failed", suspicionTime);
    await serf[2].kill();
    await seen(without(all, weft[1], serf[2]), [serf[2]], "failed", suspicionTime);
    await weft[1].start(serf[0].address);
    await serf[2].start(serf[0].address);
    await seen(all, all, "alive");

    await rotateKeys(cluster, key);
  });
});
