/** The program of the worker thread: hands messages to a DnsHost and its answers back. */
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { isWeftError, messageOf, WeftError } from "../core/index.ts";
import { DnsHost, type DnsStats } from "./dns-host.ts";
import { linuxForwarder } from "./forward/index.ts";
import type { FromWorker, Order, Request, ToWorker, WorkerStart } from "./messages.ts";

const port = parentPort;
if (port === null) throw new WeftError("INTERNAL", "dns-worker runs in a worker thread only");
const { begun }: WorkerStart = workerData; // DnsService starts no worker without it
const host = new DnsHost({
  random: (bound) => Math.floor(Math.random() * bound), // which of a name's addresses comes first is no secret
  createForwarder: linuxForwarder,
});

port.on("message", (messages: readonly ToWorker[]) => {
  for (const message of messages) {
    if ("call" in message) void answer(message);
    else obey(message);
  }
});
preferThisThread();
reply({ kind: "ready" });

/**
 * Three times the share of what else wants to run: its work is short, and somebody waits for each answer.
 * Where it may not be had, names are answered all the same.
 */
function preferThisThread(): void {
  try {
    setPriority(0, -5); // Linux: of the calling thread
  } catch {
    // no CAP_SYS_NICE
  }
}

function reply(message: FromWorker): void {
  port?.postMessage(message);
}

function obey(order: Order): void {
  switch (order.kind) {
    case "view":
      host.view(order.sandbox, order.networks, order.links);
      break;
    case "forward":
      host.forward(order.sandbox, order.forwarding);
      break;
    case "flush-cache":
      host.flushCache();
      break;
    case "publish":
      host.publish(order.network, order.endpoint, order.publication);
      break;
    case "withdraw":
      host.withdraw(order.network, order.endpoint);
      break;
  }
}

async function answer(request: Request & { readonly call: number }): Promise<void> {
  const { call } = request;
  Atomics.store(begun, 0, call);
  try {
    const stats = await perform(request);
    reply(stats === undefined ? { kind: "done", call } : { kind: "done", call, stats });
  } catch (error) {
    const code = isWeftError(error) ? error.code : "INTERNAL";
    reply({ kind: "failed", call, code, message: messageOf(error) });
  }
}

async function perform(request: Request): Promise<DnsStats | undefined> {
  switch (request.kind) {
    case "serve":
      await host.serve(request.sandbox, request.fds);
      return undefined;
    case "stop":
      await host.stop(request.sandbox);
      return undefined;
    case "flush":
      return undefined; // what was sent before it has been done
    case "stats":
      return host.stats();
    case "close":
      await host.close();
      return undefined;
  }
}
