/**
 * The program of the worker thread: enters the host's namespace for good, and waits there in an engine for
 * sockets and messages alike. It never returns to Node's event loop until it ends.
 */
import { readSync } from "node:fs";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { isWeftError, messageOf, WeftError } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";
import { DescriptorLedger } from "./descriptor-ledger.ts";
import type { ProxyStats } from "./port-proxies.ts";
import { ProxyEngine } from "./proxy-engine.ts";
import type { FromProxyWorker, ProxyRequest, ProxyWorkerStart, ToProxyWorker } from "./proxy-messages.ts";

const port = parentPort;
if (port === null) throw new WeftError("INTERNAL", "proxy-worker runs in a worker thread only");
const { netnsPath, limits, wakeFd, ending, ledger }: ProxyWorkerStart = workerData; // ProxyService starts no worker without it
const counter = Buffer.alloc(8);
let closed = false;

enterNamespace(netnsPath);
const descriptors = new DescriptorLedger(ledger);
const engine = new ProxyEngine({ descriptors, limits, now: () => performance.now() });
engine.wakeBy(wakeFd, obey);
reply({ kind: "ready" });
while (!closed && Atomics.load(ending, 0) === 0) engine.step(-1);
port.close();

function enterNamespace(path: string): void {
  const fd = sys.open(path, sys.O_RDONLY);
  try {
    sys.setns(fd, sys.CLONE_NEWNET, path);
  } finally {
    sys.close(fd);
  }
}

function reply(message: FromProxyWorker): void {
  port?.postMessage(message);
}

function obey(): void {
  readSync(wakeFd, counter);
  while (port !== null && !closed) {
    const received: { message: ToProxyWorker } | undefined = receiveMessageOnPort(port);
    if (received === undefined) return;
    answer(received.message);
  }
}

function answer(request: ToProxyWorker): void {
  const { call } = request;
  try {
    const stats = perform(request);
    reply(stats === undefined ? { kind: "done", call } : { kind: "done", call, stats });
  } catch (error) {
    const code = isWeftError(error) ? error.code : "INTERNAL";
    reply({ kind: "failed", call, code, message: messageOf(error) });
  }
}

function perform(request: ProxyRequest): ProxyStats | undefined {
  switch (request.kind) {
    case "serve":
      engine.serve(request.proxies);
      return undefined;
    case "stop":
      engine.stop(request.ids);
      return undefined;
    case "stats":
      return engine.stats();
    case "close":
      closed = true;
      engine.close();
      return undefined;
  }
}
