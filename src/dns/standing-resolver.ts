import { Events, type Id, messageOf, WeftError } from "../core/index.ts";
import type { DnsStats } from "./dns-host.ts";
import { DnsService, type DnsServiceEvent } from "./dns-service.ts";
import type { Forwarding } from "./forward/index.ts";
import type { Publication } from "./name-table.ts";
import type { NameLink, NetworkRef } from "./name-view.ts";
import type { ServerFds } from "./server.ts";
import { type StartTimer, systemTimer, type Timer } from "./timers.ts";

/** What a standing resolver works with; all of it for tests. */
export interface StandingResolverInit {
  /** Begins a service; the real one when absent. */
  readonly begin?: () => DnsService;
  readonly startTimer?: StartTimer;
  /** A clock that never jumps, ms. */
  readonly now?: () => number;
}

/** Opens the two bound sockets of a sandbox; again after each crash, which closed the former ones. */
export type OpenSockets = () => ServerFds;

interface View {
  readonly networks: readonly NetworkRef[];
  readonly links: readonly NameLink[];
}

/** Somebody who waits for the next service. */
interface Waiting {
  readonly resolve: (service: DnsService) => void;
  readonly reject: (error: WeftError) => void;
}

/** How long a service has to live for its crash to be no longer one in a row, ms. */
const steadyMs = 60_000;
/** How long to wait after the second crash in a row, ms; doubled for each further one up to the second figure. */
const firstWaitMs = 200;
const longestWaitMs = 10_000;

/**
 * The DNS of a host's sandboxes for as long as the host has any: a {@link DnsService}, and another one when
 * its thread has ended unasked, which is told all that the former one was and serves the same sandboxes.
 * The first crash is made good at once; those that come in a row, ever later.
 *
 * What is asked while no service runs waits for the next one, and so does what the former one left without
 * an answer. It fails when that one crashes too, or cannot be started, so that nobody waits for ever.
 */
export class StandingResolver {
  /** Every crash; and after one each sandbox that cannot be served again, which is tried anew every 10 s. */
  readonly events = new Events<DnsServiceEvent>();
  readonly #begin: () => DnsService;
  readonly #startTimer: StartTimer;
  readonly #now: () => number;
  readonly #views = new Map<Id, View>();
  readonly #forwardings = new Map<Id, Forwarding>();
  /** By network, then by endpoint. */
  readonly #names = new Map<Id, Map<Id, Publication>>();
  readonly #served = new Map<Id, OpenSockets>();
  /** Sandboxes that the service could not be given again, until it is tried anew. */
  readonly #unserved = new Map<Id, Timer>();
  /** Undefined between a crash and the next start. */
  #service: DnsService | undefined;
  readonly #waiting: Waiting[] = [];
  #wait: Timer | undefined;
  #begunAt = 0;
  #crashesInRow = 0;
  #closed = false;

  /** Begins the first service, and waits for nothing, see {@link DnsService.begin}. */
  constructor(init: StandingResolverInit = {}) {
    this.#begin = init.begin ?? (() => DnsService.begin());
    this.#startTimer = init.startTimer ?? systemTimer;
    this.#now = init.now ?? (() => performance.now());
    this.#start();
  }

  /** See {@link DnsService.serve}. Rejects too with what `open` throws. */
  async serve(sandbox: Id, open: OpenSockets): Promise<void> {
    await this.#ask((service) => service.serve(sandbox, open()));
    this.#served.set(sandbox, open);
  }

  /** See {@link DnsService.stop}. */
  async stop(sandbox: Id): Promise<void> {
    this.#giveUp(sandbox);
    this.#served.delete(sandbox);
    this.#views.delete(sandbox);
    this.#forwardings.delete(sandbox);
    const service = this.#running();
    try {
      await service?.stop(sandbox);
    } catch (error) {
      if (this.#closed || service?.isOver !== true) throw error;
      // Its sockets were closed with the thread.
    }
  }

  /** See {@link DnsService.view}. */
  view(sandbox: Id, networks: readonly NetworkRef[], links: readonly NameLink[] = []): void {
    if (networks.length + links.length === 0) this.#views.delete(sandbox);
    else this.#views.set(sandbox, { networks, links });
    this.#running()?.view(sandbox, networks, links);
  }

  /** See {@link DnsService.forward}. */
  forward(sandbox: Id, forwarding: Forwarding): void {
    if (forwarding.servers.length === 0) this.#forwardings.delete(sandbox);
    else this.#forwardings.set(sandbox, forwarding);
    this.#running()?.forward(sandbox, forwarding);
  }

  /** See {@link DnsService.publish}. */
  publish(network: Id, endpoint: Id, publication: Publication): void {
    const ofNetwork = this.#names.get(network);
    if (ofNetwork === undefined) this.#names.set(network, new Map([[endpoint, publication]]));
    else ofNetwork.set(endpoint, publication);
    this.#running()?.publish(network, endpoint, publication);
  }

  /** See {@link DnsService.withdraw}. */
  withdraw(network: Id, endpoint: Id): void {
    const ofNetwork = this.#names.get(network);
    ofNetwork?.delete(endpoint);
    if (ofNetwork?.size === 0) this.#names.delete(network);
    this.#running()?.withdraw(network, endpoint);
  }

  /** Resolves when all that was told before is in force. */
  flush(): Promise<void> {
    return this.#ask((service) => service.flush());
  }

  /** See {@link DnsService.stats}. Counters begin anew with each service. */
  stats(): Promise<DnsStats> {
    return this.#ask((service) => service.stats());
  }

  /** Ends it, after what it was asked before; its descriptors are closed when it resolves. What waits for a service is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wait?.stop();
    for (const sandbox of [...this.#unserved.keys()]) this.#giveUp(sandbox);
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
    await this.#service?.close();
  }

  /** The service, if one runs. Throws CONTROLLER_CLOSED. */
  #running(): DnsService | undefined {
    if (this.#closed) throw closedError();
    return this.#service?.isOver === true ? undefined : this.#service;
  }

  /** Does `work` with the service; with the next one if this one ends meanwhile, or none runs. */
  async #ask<T>(work: (service: DnsService) => Promise<T>): Promise<T> {
    const service = this.#running();
    if (service !== undefined) {
      try {
        return await work(service);
      } catch (error) {
        if (this.#closed || !service.isOver) throw error;
      }
    }
    return work(this.#running() ?? (await this.#nextService()));
  }

  #nextService(): Promise<DnsService> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Begins a service, and tells it all that the former one was told: names before listeners, so that none is denied. */
  #start(): void {
    this.#begunAt = this.#now();
    const service = this.#begin();
    this.#service = service;
    service.events.subscribe(({ error }) => this.#ended(service, error));
    service.ready.catch((error: unknown) => this.#ended(service, error));
    for (const [network, endpoints] of this.#names) {
      for (const [endpoint, publication] of endpoints) service.publish(network, endpoint, publication);
    }
    for (const [sandbox, { networks, links }] of this.#views) service.view(sandbox, networks, links);
    for (const [sandbox, forwarding] of this.#forwardings) service.forward(sandbox, forwarding);
    for (const [sandbox, open] of this.#served) void this.#serveAgain(service, sandbox, open);
    for (const { resolve } of this.#waiting.splice(0)) resolve(service);
  }

  /** Serves what the former service did; when that fails, which is told once, again after a while. */
  async #serveAgain(service: DnsService, sandbox: Id, open: OpenSockets, isFirst = true): Promise<void> {
    try {
      await service.serve(sandbox, open());
    } catch (error) {
      if (service.isOver || this.#served.get(sandbox) !== open) return; // a later one does, or nobody wants it
      const again = () => {
        this.#unserved.delete(sandbox);
        void this.#serveAgain(service, sandbox, open, false);
      };
      this.#unserved.set(sandbox, this.#startTimer(longestWaitMs, again));
      if (isFirst) this.#tell(error);
    }
  }

  #giveUp(sandbox: Id): void {
    this.#unserved.get(sandbox)?.stop();
    this.#unserved.delete(sandbox);
  }

  #ended(service: DnsService, error: unknown): void {
    if (this.#service !== service || this.#closed) return;
    this.#service = undefined;
    for (const sandbox of [...this.#unserved.keys()]) this.#giveUp(sandbox); // the next one serves them
    this.#tell(error);
    this.#startLater();
  }

  #startLater(): void {
    if (this.#now() - this.#begunAt >= steadyMs) this.#crashesInRow = 0;
    const crashes = this.#crashesInRow++;
    const waitMs = crashes === 0 ? 0 : Math.min(firstWaitMs * 2 ** (crashes - 1), longestWaitMs);
    this.#wait = this.#startTimer(waitMs, () => {
      try {
        this.#start();
      } catch (error) {
        this.#notStarted(error);
      }
    });
  }

  /** No thread is to be had now. */
  #notStarted(cause: unknown): void {
    const error = crashOf(cause);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#tell(error);
    this.#startLater();
  }

  #tell(cause: unknown): void {
    this.events.emit({ kind: "crashed", error: crashOf(cause) });
  }
}

function crashOf(cause: unknown): WeftError {
  return cause instanceof WeftError ? cause : new WeftError("INTERNAL", messageOf(cause), { cause });
}

function closedError(): WeftError {
  return new WeftError("CONTROLLER_CLOSED", "the resolver is closed");
}
