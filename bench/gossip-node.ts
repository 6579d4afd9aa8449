// One gossip node in a process of its own, for bench/gossip.ts: joins as it is told, and tells what it used.
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { parseAddress } from "../src/core/index.ts";
import {
  Keyring,
  Membership,
  openSocketTransport,
  type Place,
  systemDice,
  systemTimers,
} from "../src/gossip/index.ts";

/** What the node is told. */
export interface IdleOrder {
  readonly join: Place;
  /** In base64. */
  readonly key: string;
  /** How large the cluster is that it has to see. */
  readonly nodes: number;
  readonly settleMs: number;
  readonly measureMs: number;
}

/** What it used, while nothing happened. */
export interface IdleUsage {
  readonly corePercent: number;
  readonly sentPerSecond: number;
  readonly receivedPerSecond: number;
}

const [order] = (await once(process, "message")) as [IdleOrder]; // bench/gossip.ts sends it
const transport = await openSocketTransport({ bind: { address: parseAddress("127.0.0.1"), port: 0 } });
const log = { warn: () => {}, info: () => {} };
const node = new Membership({
  name: "measured",
  transport,
  environment: { timers: systemTimers, dice: systemDice, log },
  keyring: new Keyring([Buffer.from(order.key, "base64")]),
});
node.start();
await node.join([order.join]);
await delay(order.settleMs);
const before = { ...node.counters };
const cpu = process.cpuUsage();
const start = performance.now();
await delay(order.measureMs);
const seconds = (performance.now() - start) / 1000;
const used = process.cpuUsage(cpu);
if (node.members().length !== order.nodes)
  throw new Error(`it sees ${node.members().length} members of ${order.nodes}`);
const usage: IdleUsage = {
  corePercent: (100 * (used.user + used.system)) / 1e6 / seconds,
  sentPerSecond: (node.counters.bytesSent - before.bytesSent) / seconds,
  receivedPerSecond: (node.counters.bytesReceived - before.bytesReceived) / seconds,
};
process.send?.(usage);
await node.close();
process.disconnect();
