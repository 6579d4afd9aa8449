/**
 * A worker that throws at the first request. If it was told something before, it has begun to serve
 * what the request asks for by then; else the request is as if it had never come.
 */
import { parentPort, workerData } from "node:worker_threads";
import { DnsHost, linuxForwarder } from "../../src/dns/index.ts";
import type { ToWorker } from "../../src/dns/messages.ts";

const host = new DnsHost({
  random: () => 0,
  createForwarder: linuxForwarder,
});
let begins = false;
parentPort?.postMessage({ kind: "ready" });
parentPort?.on("message", (messages: readonly ToWorker[]) => {
  for (const message of messages) {
    if (!("call" in message)) {
      begins = true;
      continue;
    }
    if (begins && message.kind === "serve") {
      Atomics.store(workerData.begun, 0, message.call);
      void host.serve(message.sandbox, message.fds);
    }
    throw new Error("worker test crash");
  }
});
