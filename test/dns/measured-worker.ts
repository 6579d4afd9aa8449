/** The resolver's own worker, which besides tells how much memory it holds, after collecting its garbage. */

import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { BroadcastChannel } from "node:worker_threads";
import "../../src/dns/dns-worker.ts";
import { memoryChannel, type WorkerMemory } from "./worker-memory.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void; // what the flag brings
const channel = new BroadcastChannel(memoryChannel);
channel.unref();
channel.onmessage = async ({ data }) => {
  if (data !== "measure") return;
  for (let times = 0; times < 3; times++) {
    collectGarbage();
    await setImmediate(); // what the collector found dead is let go of in a later turn
  }
  const { heapUsed, external } = process.memoryUsage(); // of this thread
  const memory: WorkerMemory = { heapUsed, external };
  channel.postMessage(memory);
};
