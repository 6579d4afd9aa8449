import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { BroadcastChannel } from "node:worker_threads";

/** Where measured-worker.ts is asked for its memory. */
export const memoryChannel = "weft-dns-memory";

/** What the worker holds, bytes. */
export interface WorkerMemory {
  readonly heapUsed: number;
  /** Buffers and what else is outside of the heap. */
  readonly external: number;
}

/** The program to start a DnsService with so that {@link measureMemory} works. */
export const measuredWorker = new URL("./measured-worker.js", import.meta.url);

/** What the worker holds, and the whole process (RSS), after both threads have collected their garbage. */
export async function measureMemory(): Promise<WorkerMemory & { readonly rss: number }> {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void; // what the flag brings
  const channel = new BroadcastChannel(memoryChannel);
  try {
    const told = new Promise<WorkerMemory>((resolve) => {
      channel.onmessage = ({ data }) => resolve(data);
    });
    channel.postMessage("measure");
    const memory = await told;
    collectGarbage();
    return { ...memory, rss: process.memoryUsage.rss() };
  } finally {
    channel.close();
  }
}
