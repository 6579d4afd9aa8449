import { Worker } from "node:worker_threads";
import { Events, type Id, messageOf, WeftError } from "../core/index.ts";
import type { DnsStats } from "./dns-host.ts";
import { discardFd } from "./fd.ts";
import type { Forwarding } from "./forward/index.ts";
import type { FromWorker, Order, Request, ToWorker, WorkerStart } from "./messages.ts";
import type { Publication } from "./name-table.ts";
import type { NameLink, NetworkRef } from "./name-view.ts";
import type { ServerFds } from "./server.ts";

/** What happens to a service by itself. */
export interface DnsServiceEvent {
  /** The worker ended unasked; nothing is served any more, its sockets are closed. {@link StandingResolver} starts another one. */
  readonly kind: "crashed";
  readonly error: WeftError;
}

/** For tests. */
export interface DnsServiceInit {
  /** The worker's program, in place of the real one. */
  readonly worker?: URL;
}

interface PendingCall {
  readonly request: Request;
  readonly resolve: (stats: DnsStats | undefined) => void;
  readonly reject: (error: WeftError) => void;
}

/** Somebody who waits until all that was told is in force. */
type Flush = Pick<PendingCall, "reject"> & { readonly resolve: () => void };

/**
 * The DNS of a host's sandboxes, in a thread of its own so that nothing this thread does delays an
 * answer. What it is told takes effect in the order in which it was told.
 *
 * The thread keeps the process alive only while a promise of the service is pending. Serving alone
 * does not: the service is a part of a controller, whose own life decides how long the process runs.
 *
 * Once the worker has crashed or the service is closed, every method throws or rejects with that.
 */
export class DnsService {
  /** See {@link DnsServiceEvent}. */
  readonly events = new Events<DnsServiceEvent>();
  readonly #worker: Worker;
  readonly #begun: Int32Array;
  readonly #calls = new Map<number, PendingCall>();
  readonly #ended: Promise<void>;
  /** Resolves when the worker serves. Rejects with INTERNAL when it could not be started; that is no event. */
  readonly ready: Promise<void>;
  /** What goes to the worker in one message, which costs hardly more than a single order would. */
  #outbox: ToWorker[] = [];
  /** Who asked for a flush in this turn: one at the end of the outbox is for all of them. */
  readonly #flushes: Flush[] = [];
  /** The outbox goes at the end of this turn. */
  #sending = false;
  #lastCall = 0;
  #over: WeftError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(worker: Worker, begun: Int32Array, ended: Promise<void>) {
    this.#worker = worker;
    this.#begun = begun;
    this.#ended = ended;
    this.ready = this.#listen();
    this.ready.catch(() => {}); // nobody has to wait for it
  }

  /** Starts the worker. Rejects with INTERNAL when it cannot. */
  static async start(init: DnsServiceInit = {}): Promise<DnsService> {
    const service = DnsService.begin(init);
    await service.ready;
    return service;
  }

  /**
   * Begins to start the worker, which takes nearly 100 ms, and waits for nothing: it does what it is told until then
   * when it is {@link ready}.
   */
  static begin(init: DnsServiceInit = {}): DnsService {
    // Compiled, this file has the worker's program beside it; tsc leaves URLs as they are.
    const program = init.worker ?? new URL("./dns-worker.js", import.meta.url);
    const begun = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const workerData: WorkerStart = { begun };
    const worker = new Worker(program, {
      workerData,
      name: "weft-dns",
      // The flags of the process are not the worker's: some (--input-type) would keep it from starting.
      execArgv: [],
      // Else it warns of descriptors that were opened elsewhere, as all of these are.
      trackUnmanagedFds: false,
    });
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    return new DnsService(worker, begun, ended);
  }

  /** True once the worker has ended, or the service is closed. */
  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /**
   * Serves `sandbox` on these sockets; resolves when both listen. The descriptors belong to the
   * service from now on, whatever the outcome. Rejects with SANDBOX_EXISTS or KERNEL.
   */
  async serve(sandbox: Id, { udpFd, tcpFd }: ServerFds): Promise<void> {
    await this.#call({ kind: "serve", sandbox, fds: { udpFd, tcpFd } });
  }

  /** Ends the service of `sandbox` and forgets its view and servers; its descriptors are closed when it resolves. */
  async stop(sandbox: Id): Promise<void> {
    await this.#call({ kind: "stop", sandbox });
  }

  /**
   * Makes these, in gateway order, the networks whose names `sandbox` sees, and `links` the names that it
   * alone has for names there; before or after it is served.
   */
  view(sandbox: Id, networks: readonly NetworkRef[], links: readonly NameLink[] = []): void {
    this.#tell({
      kind: "view",
      sandbox,
      networks: networks.map(({ id, name }) => ({ id, name })),
      links: links.map(({ alias, network, name }) => ({ alias, network, name })),
    });
  }

  /**
   * Makes these the servers that are asked what the networks of `sandbox` do not know, from its next
   * question on; before or after it is served. None are, until this is called.
   */
  forward(sandbox: Id, { servers, ndots, ownNetns }: Forwarding): void {
    const forwarding: Forwarding = {
      servers: servers.map((server) => ({ ...server })),
      ...(ndots === undefined ? {} : { ndots }),
      ...(ownNetns === undefined ? {} : { ownNetns }),
    };
    this.#tell({ kind: "forward", sandbox, forwarding });
  }

  /** Forgets every answer of upstream servers that is kept. */
  flushCache(): void {
    this.#tell({ kind: "flush-cache" });
  }

  /**
   * Makes `endpoint` known in `network` by these names, in place of what it was known by there. Names
   * that no DNS message can carry are left out, see isDnsName.
   */
  publish(network: Id, endpoint: Id, { names, addresses }: Publication): void {
    this.#tell({ kind: "publish", network, endpoint, publication: { names, addresses } });
  }

  /** Forgets `endpoint` in `network`; no harm when it is not there. */
  withdraw(network: Id, endpoint: Id): void {
    this.#tell({ kind: "withdraw", network, endpoint });
  }

  /** Resolves when all that was told before is in force. */
  flush(): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      this.#flushes.push({ resolve, reject });
      this.#sendSoon();
    });
  }

  /** What is served, and what came of it so far. */
  async stats(): Promise<DnsStats> {
    const stats = await this.#call({ kind: "stats" });
    if (stats === undefined) throw new WeftError("INTERNAL", "the DNS worker answered without figures");
    return stats;
  }

  /** Ends the worker, after what it was asked before; its descriptors are closed when it resolves. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#over === undefined) {
      const closed = this.#call({ kind: "close" });
      this.#over = new WeftError("CONTROLLER_CLOSED", "the DNS service is closed");
      await closed.catch(() => {}); // what its servers could not close, the end of their thread does
      await this.#worker.terminate();
    }
    await this.#ended;
  }

  /** Resolves when the worker is ready, and watches over it from then on. */
  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      let cause: unknown;
      let isReady = false;
      this.#worker.on("message", (message: FromWorker) => {
        if (message.kind !== "ready") return this.#settle(message);
        isReady = true;
        if (this.#calls.size === 0) this.#worker.unref();
        resolve();
      });
      this.#worker.on("error", (error) => {
        cause = error;
      });
      this.#worker.on("exit", (code) => {
        const why = cause === undefined ? `exit code ${code}` : messageOf(cause);
        const error = new WeftError("INTERNAL", `the DNS worker ended unasked: ${why}`, { cause });
        reject(error); // of no effect once it was ready
        this.#workerEnded(error, isReady);
      });
    });
  }

  #tell(order: Order): void {
    if (this.#over !== undefined) throw this.#over;
    this.#outbox.push(order);
    this.#sendSoon();
  }

  #call(request: Request): Promise<DnsStats | undefined> {
    if (this.#over !== undefined) {
      discardFds(request);
      return Promise.reject(this.#over);
    }
    return new Promise((resolve, reject) => {
      this.#endFlushes();
      this.#ask(request, resolve, reject);
      this.#send();
    });
  }

  #ask(request: Request, resolve: PendingCall["resolve"], reject: PendingCall["reject"]): void {
    const call = ++this.#lastCall;
    this.#calls.set(call, { request, resolve, reject });
    this.#worker.ref();
    this.#outbox.push({ ...request, call });
  }

  #endFlushes(): void {
    const flushes = this.#flushes.splice(0);
    if (flushes.length === 0) return;
    const resolve = () => {
      for (const one of flushes) one.resolve();
    };
    const reject = (error: WeftError) => {
      for (const one of flushes) one.reject(error);
    };
    this.#ask({ kind: "flush" }, resolve, reject);
  }

  #sendSoon(): void {
    if (this.#sending) return;
    this.#sending = true;
    queueMicrotask(() => {
      this.#sending = false;
      this.#endFlushes();
      this.#send();
    });
  }

  #send(): void {
    const messages = this.#outbox;
    if (messages.length === 0) return;
    this.#outbox = [];
    this.#worker.postMessage(messages);
  }

  #settle(message: Exclude<FromWorker, { readonly kind: "ready" }>): void {
    const pending = this.#calls.get(message.call);
    this.#calls.delete(message.call);
    if (this.#calls.size === 0) this.#worker.unref();
    if (message.kind === "done") pending?.resolve(message.stats);
    else pending?.reject(new WeftError(message.code, message.message));
  }

  #workerEnded(error: WeftError, wasReady: boolean): void {
    const crashed = wasReady && this.#over === undefined;
    this.#over ??= error;
    const taken = Atomics.load(this.#begun, 0);
    for (const [call, { request, reject }] of this.#calls) {
      // A descriptor that the worker took was closed with it, and its number may be another's by now.
      if (call > taken) discardFds(request);
      reject(error);
    }
    this.#calls.clear();
    if (crashed) this.events.emit({ kind: "crashed", error });
  }
}

function discardFds(request: Request): void {
  if (request.kind !== "serve") return;
  discardFd(request.fds.udpFd);
  discardFd(request.fds.tcpFd);
}
