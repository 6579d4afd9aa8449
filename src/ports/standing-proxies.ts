import { Events, KeyedLock, WeftError } from "../core/index.ts";
import {
  newProxyCounters,
  type PortProxies,
  type PortProxiesEvent,
  type PortProxy,
  type ProxyStats,
} from "./port-proxies.ts";

/** What a service was asked to serve besides. */
interface Asked {
  readonly service: PortProxies;
  readonly answer: Promise<void>;
}

/**
 * Proxies that begin when there is a port to serve, and begin anew when their thread has crashed: most
 * hosts publish nothing, and what is reserved outlives whoever served it.
 */
export class StandingProxies implements PortProxies {
  /** A crash is told, and that it was not made good when starting anew fails as well. */
  readonly events = new Events<PortProxiesEvent>();
  readonly #start: () => Promise<PortProxies>;
  readonly #served = new Map<string, PortProxy>();
  readonly #lock = new KeyedLock();
  #service: PortProxies | undefined;
  #preparing = false;
  #closed = false;

  constructor(start: () => Promise<PortProxies>) {
    this.#start = start;
  }

  /** Tries it once more with the next service when the one that was asked crashes meanwhile. */
  async serve(proxies: readonly PortProxy[]): Promise<void> {
    const { service, answer } = await this.#ask(proxies);
    try {
      await answer;
    } catch (error) {
      if (this.#closed || this.#service === service) throw error;
      await (await this.#ask(proxies)).answer;
    }
  }

  /**
   * Asks a service, which does all in the order in which it was asked; to wait for each answer in turn would take as
   * long as all of them.
   */
  #ask(proxies: readonly PortProxy[]): Promise<Asked> {
    return this.#alone(async () => {
      const service = await this.#running();
      const former = proxies.map(({ id }) => this.#served.get(id));
      for (const proxy of proxies) this.#served.set(proxy.id, proxy);
      const answer = service.serve(proxies).catch((error: unknown) => {
        for (const [i, proxy] of proxies.entries()) this.#putBack(proxy, former[i]);
        throw error;
      });
      return { service, answer };
    });
  }

  /**
   * Begins to start a service if there is none, for a port is about to be served; that takes longer than all
   * the rest of publishing it. When it cannot be, {@link serve} says so.
   */
  prepare(): void {
    if (this.#service !== undefined || this.#preparing || this.#closed) return;
    this.#preparing = true;
    const started = this.#alone(async () => void (await this.#running()));
    started
      .catch(() => {})
      .finally(() => {
        this.#preparing = false;
      });
  }

  stop(ids: readonly string[]): Promise<void> {
    return this.#alone(async () => {
      for (const id of ids) this.#served.delete(id);
      const service = this.#service;
      try {
        await service?.stop(ids);
      } catch (error) {
        if (this.#service === service) throw error;
        // It has crashed meanwhile: it serves nothing any more.
      }
    });
  }

  async stats(): Promise<ProxyStats> {
    return (
      (await this.#service?.stats()) ?? {
        ports: 0,
        openConnections: 0,
        openSessions: 0,
        counters: newProxyCounters(),
      }
    );
  }

  close(): Promise<void> {
    return this.#lock.run("proxies", async () => {
      this.#closed = true;
      await this.#service?.close();
      this.#service = undefined;
      this.#served.clear();
    });
  }

  /** What was served before one that could not be; unless somebody changed that since. */
  #putBack(refused: PortProxy, former: PortProxy | undefined): void {
    if (this.#served.get(refused.id) !== refused) return;
    if (former === undefined) this.#served.delete(refused.id);
    else this.#served.set(refused.id, former);
  }

  /** The service, started if there is none, with all that is to be served. */
  async #running(): Promise<PortProxies> {
    if (this.#service !== undefined) return this.#service;
    const service = await this.#start();
    service.events.subscribe((event) => this.#crashed(service, event));
    this.#service = service;
    try {
      await service.serve([...this.#served.values()]);
      return service;
    } catch (error) {
      this.#service = undefined; // the next one begins with all of them again
      await service.close().catch(() => {}); // why it cannot serve is what counts
      throw error;
    }
  }

  #crashed(service: PortProxies, event: PortProxiesEvent): void {
    if (this.#service !== service || this.#closed) return;
    this.#service = undefined;
    this.events.emit(event);
    this.#alone(async () => {
      if (this.#served.size > 0) await this.#running();
    }).catch((error: unknown) => {
      if (error instanceof WeftError && !this.#closed) this.events.emit({ kind: "crashed", error });
    });
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#lock.run("proxies", async () => {
      if (this.#closed) throw new WeftError("CONTROLLER_CLOSED", "the proxies are closed");
      return await work();
    });
  }
}
