import assert from "node:assert/strict";
import type { NetworkDb, NetworkDbOptions } from "../../../src/gossip/networkdb/index.ts";
import type { TableEvent } from "../../../src/gossip/networkdb/messages.ts";
import { decodeMessage } from "../../../src/gossip/networkdb/wire/codec.ts";
import { FakeCluster } from "./fake-cluster.ts";

/** The bytes of a text. */
export const bytes = (text: string): Uint8Array => Buffer.from(text);

/** What a node sees of a table: values by key. */
export function seen(db: NetworkDb, network = "n1", table = "t"): Record<string, string> {
  const entries = db
    .list(network, table)
    .map(({ key, value }) => [key, Buffer.from(value).toString()] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The table events of a packet. */
export function tableEvents(packet: Uint8Array): readonly TableEvent[] {
  const message = decodeMessage(packet);
  if (message.kind === "compound") return message.parts.flatMap(tableEvents);
  return message.kind === "table" ? [message] : [];
}

/** Fails unless each node that is up sees exactly this in table t of network n1. */
export function everybodySees(cluster: FakeCluster, expected: Readonly<Record<string, string>>): void {
  for (const { name, db, isUp } of cluster.nodes.values())
    if (isUp) assert.deepEqual(seen(db), expected, name);
}

/** Nodes a, b, c... that know each other and are all on network n1. */
export async function clusterOf(
  count: number,
  options: Partial<NetworkDbOptions> = {},
  seed = 1,
): Promise<FakeCluster> {
  const cluster = new FakeCluster(seed, options);
  for (let i = 0; i < count; i++) cluster.start(String.fromCharCode(97 + i), i === 0 ? undefined : "a");
  await cluster.time.run(5_000);
  for (const { db } of cluster.nodes.values()) void db.joinNetwork("n1");
  await cluster.time.run(5_000);
  return cluster;
}
