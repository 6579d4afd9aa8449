import { Events, WeftError } from "../core/index.ts";
import {
  newProxyCounters,
  type PortProxies,
  type PortProxiesEvent,
  type PortProxy,
  type ProxyStats,
} from "./port-proxies.ts";

/** Proxies that serve nobody, for tests: they only know what they were told. */
export class MemoryPortProxies implements PortProxies {
  readonly events = new Events<PortProxiesEvent>();
  readonly #served = new Map<string, PortProxy>();
  #over: WeftError | undefined;

  /** What is served now, by id. */
  get served(): ReadonlyMap<string, PortProxy> {
    return this.#served;
  }

  async serve(proxies: readonly PortProxy[]): Promise<void> {
    this.#requireOpen();
    const begun = new Map<string, PortProxy>();
    for (const proxy of proxies) {
      if (this.#served.has(proxy.id) || begun.has(proxy.id))
        throw new WeftError("OBJECT_CONFLICT", `the port proxy ${proxy.id} is served already: stop it first`);
      begun.set(proxy.id, proxy);
    }
    for (const [id, proxy] of begun) this.#served.set(id, proxy);
  }

  async stop(ids: readonly string[]): Promise<void> {
    this.#requireOpen();
    for (const id of ids) this.#served.delete(id);
  }

  async stats(): Promise<ProxyStats> {
    this.#requireOpen();
    return { ports: this.#served.size, openConnections: 0, openSessions: 0, counters: newProxyCounters() };
  }

  async close(): Promise<void> {
    this.#over ??= new WeftError("CONTROLLER_CLOSED", "the proxy service is closed");
    this.#served.clear();
  }

  /** Ends as if the worker had crashed. */
  crash(): void {
    const error = new WeftError("INTERNAL", "the proxy worker ended unasked: as the test wanted");
    this.#over = error;
    this.#served.clear();
    this.events.emit({ kind: "crashed", error });
  }

  #requireOpen(): void {
    if (this.#over !== undefined) throw this.#over;
  }
}
