import { readFileSync, writeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { Events, messageOf, WeftError } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";
import { DescriptorLedger, newLedgerMemory } from "./descriptor-ledger.ts";
import type { PortProxies, PortProxiesEvent, PortProxy, ProxyStats } from "./port-proxies.ts";
import { type ProxyLimits, proxyLimits } from "./proxy-limits.ts";
import type { FromProxyWorker, ProxyRequest, ProxyWorkerStart } from "./proxy-messages.ts";

/** What may be set otherwise, by tests above all. */
export interface ProxyServiceInit {
  /** In place of {@link proxyLimits} of what this process may open. */
  readonly limits?: ProxyLimits;
  /** The worker's program, in place of the real one. */
  readonly worker?: URL;
}

interface PendingCall {
  readonly resolve: (stats: ProxyStats | undefined) => void;
  readonly reject: (error: WeftError) => void;
}

/**
 * The proxies of a host in a thread of their own, which nothing that this thread does delays.
 *
 * Whose descriptors are whose: the caller lends its own, and the worker has said that it uses them no more
 * before {@link stop} and {@link close} resolve; duplicates would cost a second one for each published port.
 * What the worker opens itself it notes in shared memory, and the service closes what a crash leaves.
 *
 * The thread keeps the process alive only while a promise of the service is pending. Once the worker has
 * crashed or the service is closed, every method rejects with that.
 */
export class ProxyService implements PortProxies {
  readonly events = new Events<PortProxiesEvent>();
  readonly #worker: Worker;
  readonly #start: ProxyWorkerStart;
  readonly #calls = new Map<number, PendingCall>();
  readonly #endNow = () => this.#wake(true);
  readonly #ended: Promise<void>;
  #lastCall = 0;
  #over: WeftError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(worker: Worker, start: ProxyWorkerStart) {
    this.#worker = worker;
    this.#start = start;
    this.#ended = new Promise((resolve) => worker.once("exit", () => resolve()));
  }

  /**
   * Starts the worker, whose connections to targets start in the namespace at `hostNetnsPath`. Rejects with
   * INTERNAL when it cannot start or enter there.
   */
  static async start(hostNetnsPath: string, init: ProxyServiceInit = {}): Promise<ProxyService> {
    const start: ProxyWorkerStart = {
      netnsPath: hostNetnsPath,
      limits: init.limits ?? proxyLimits(descriptorLimit()),
      wakeFd: sys.eventfd(),
      ending: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
      ledger: newLedgerMemory(),
    };
    // Compiled, this file has the worker's program beside it; tsc leaves URLs as they are.
    const worker = startWorker(init.worker ?? new URL("./proxy-worker.js", import.meta.url), start);
    const service = new ProxyService(worker, start);
    await service.#listen();
    if (service.#calls.size === 0) worker.unref();
    return service;
  }

  async serve(proxies: readonly PortProxy[]): Promise<void> {
    if (this.#over !== undefined) throw this.#over;
    if (proxies.length > 0) await this.#call({ kind: "serve", proxies });
  }

  async stop(ids: readonly string[]): Promise<void> {
    if (this.#over !== undefined) throw this.#over;
    if (ids.length > 0) await this.#call({ kind: "stop", ids });
  }

  async stats(): Promise<ProxyStats> {
    const stats = await this.#call({ kind: "stats" });
    if (stats === undefined) throw new WeftError("INTERNAL", "the proxy worker answered without figures");
    return stats;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#over === undefined) {
      const closed = this.#call({ kind: "close" });
      this.#over = new WeftError("CONTROLLER_CLOSED", "the proxy service is closed");
      await closed.catch(() => {}); // what it could not close is in its ledger
      this.#worker.ref(); // its end is waited for now
    }
    await this.#ended;
  }

  /** Resolves when the worker is ready, and watches over it from then on. */
  #listen(): Promise<void> {
    // A thread that waits in the kernel is not ended by process.exit(), which would wait for it for ever.
    process.once("exit", this.#endNow);
    return new Promise((resolve, reject) => {
      let cause: unknown;
      this.#worker.on("message", (message: FromProxyWorker) => {
        if (message.kind === "ready") resolve();
        else this.#settle(message);
      });
      this.#worker.on("error", (error) => {
        cause = error;
      });
      this.#worker.on("exit", (code) => {
        const why = cause === undefined ? `exit code ${code}` : messageOf(cause);
        const error = new WeftError("INTERNAL", `the proxy worker ended unasked: ${why}`, { cause });
        reject(error); // of no effect once it was ready
        this.#workerEnded(error);
      });
    });
  }

  #call(request: ProxyRequest): Promise<ProxyStats | undefined> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      const call = ++this.#lastCall;
      this.#calls.set(call, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ ...request, call });
      this.#wake(false);
    });
  }

  #wake(ending: boolean): void {
    if (ending) Atomics.store(this.#start.ending, 0, 1);
    writeSync(this.#start.wakeFd, one64);
  }

  #settle(message: Exclude<FromProxyWorker, { readonly kind: "ready" }>): void {
    const pending = this.#calls.get(message.call);
    this.#calls.delete(message.call);
    if (this.#calls.size === 0) this.#worker.unref();
    if (message.kind === "done") pending?.resolve(message.stats);
    else pending?.reject(new WeftError(message.code, message.message));
  }

  #workerEnded(error: WeftError): void {
    process.removeListener("exit", this.#endNow);
    const crashed = this.#over === undefined;
    this.#over ??= error;
    new DescriptorLedger(this.#start.ledger).closeAll();
    sys.close(this.#start.wakeFd);
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
    if (crashed) this.events.emit({ kind: "crashed", error });
  }
}

function startWorker(program: URL, start: ProxyWorkerStart): Worker {
  try {
    return new Worker(program, {
      workerData: start,
      name: "weft-proxy",
      // The flags of the process are not the worker's: some (--input-type) would keep it from starting.
      execArgv: [],
      // It closes what it opens, or the service does.
      trackUnmanagedFds: false,
    });
  } catch (error) {
    sys.close(start.wakeFd);
    throw error;
  }
}

/** What is added to an eventfd's counter: 1. */
const one64 = Buffer.from(BigUint64Array.of(1n).buffer);

/** How many files this process may have open. */
function descriptorLimit(): number {
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return soft === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(soft ?? 1024);
}
