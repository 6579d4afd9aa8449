/** A proxy worker that works until it is asked for figures, and dies then with all that it has open. */
import { readSync } from "node:fs";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import * as sys from "../../src/kernel/syscalls.ts";
import { DescriptorLedger } from "../../src/ports/descriptor-ledger.ts";
import { ProxyEngine } from "../../src/ports/proxy-engine.ts";
import type { ProxyWorkerStart, ToProxyWorker } from "../../src/ports/proxy-messages.ts";

const { netnsPath, limits, wakeFd, ledger }: ProxyWorkerStart = workerData; // as the real one
const netns = sys.open(netnsPath, sys.O_RDONLY);
sys.setns(netns, sys.CLONE_NEWNET, netnsPath);
sys.close(netns);
const engine = new ProxyEngine({
  descriptors: new DescriptorLedger(ledger),
  limits,
  now: () => performance.now(),
});

engine.wakeBy(wakeFd, () => {
  readSync(wakeFd, Buffer.alloc(8));
  const received: { message: ToProxyWorker } | undefined =
    parentPort === null ? undefined : receiveMessageOnPort(parentPort);
  if (received?.message.kind !== "serve") throw new Error("worker test crash");
  engine.serve(received.message.proxies);
  parentPort?.postMessage({ kind: "done", call: received.message.call });
});
parentPort?.postMessage({ kind: "ready" });
for (;;) engine.step(-1);
