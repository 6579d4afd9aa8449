// Three agents of Serf's and three of weft's, each in a namespace of its own, in one encrypted cluster.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { KeysAnswer } from "../../src/cli/gossip-control.ts";
import type { KeyOperation } from "../../src/gossip/index.ts";
import {
  type Peer,
  type PeerCluster,
  type SerfPeer,
  type WeftPeer,
  within,
  withPeers,
} from "./gossip-peers.ts";

/**
 * How long a failure may take to be seen by all, ms: a round of probes, a suspicion at its longest (six members on the
 * LAN profile: 24 s, gossip.md B.9), and the news of it.
 */
const suspicionTime = 6_000 + 24_000 + 5_000;
/** For what needs no suspicion: what gossip misses comes with a push/pull, every 30 s. */
const shortly = 45_000;

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
  await serfKeys(agent, `-install=${newKey}`, /Successfully installed/);
  await serfKeys(agent, "-list", new RegExp(`${escaped(newKey)} +\\[6/6\\]`));
  await serfKeys(agent, `-use=${newKey}`, /Successfully changed primary/);
  await serfKeys(agent, `-remove=${oldKey}`, /Successfully removed/);
  const list = await serfKeys(agent, "-list", new RegExp(`${escaped(newKey)} +\\[6/6\\]`));
  assert.doesNotMatch(list, new RegExp(escaped(oldKey)));
  await seen(all, all, "alive");
  await rotateByWeft(cluster, newKey);
}

/**
 * Runs `serf keys` until all six have answered: a question goes out once, by UDP, and who is too busy to answer within
 * Serf's few seconds is missed; whoever did already what is asked for says so again.
 */
async function serfKeys(agent: SerfPeer, option: string, wanted: RegExp): Promise<string> {
  let last = "";
  const isDone = async () => {
    try {
      last = agent.command("keys", option);
    } catch (error) {
      last = String(error);
    }
    return wanted.test(last);
  };
  await within(shortly, `serf keys ${option.replace(/=.*/, "")}`, isDone, async () => last);
  return last;
}

/** The same by weft's own command, which Serf's agents answer. */
async function rotateByWeft({ serf, weft, all }: PeerCluster, oldKey: string) {
  const newKey = randomBytes(24).toString("base64");
  const [agent] = weft;
  for (const [operation, key] of [
    ["install", newKey],
    ["use", newKey],
    ["remove", oldKey],
  ] as const)
    await weftKeys(agent, operation, key);
  const { Keys: keys, Primaries: primaries } = await weftKeys(agent, "list");
  assert.deepEqual(keys, { [newKey]: 6 });
  assert.ok((primaries[newKey] ?? 0) >= weft.length); // this Serf's answers name no primary key
  await serfKeys(serf[0], "-list", new RegExp(`${escaped(newKey)} +\\[6/6\\]`));
  await seen(all, all, "alive");
}

/** Asks until all six have answered, and none refused. */
async function weftKeys(agent: WeftPeer, operation: KeyOperation, key = ""): Promise<KeysAnswer> {
  let last = await agent.keys(operation, key);
  const isDone = async () => {
    if (last.Answered === 6 && Object.keys(last.Failures).length === 0) return true;
    last = await agent.keys(operation, key);
    return false;
  };
  await within(shortly, `weft gossip keys ${operation}`, isDone, async () => JSON.stringify(last));
  return last;
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
