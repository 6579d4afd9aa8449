import { WeftError } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";
import { Datagram } from "./datagram.ts";
import type { DescriptorLedger } from "./descriptor-ledger.ts";
import { Poller } from "./poller.ts";
import { newProxyCounters, type PortProxy, type ProxyStats } from "./port-proxies.ts";
import type { ProxyContext } from "./proxy-context.ts";
import type { ProxyLimits } from "./proxy-limits.ts";
import { TcpProxy, type TcpProxyShared } from "./tcp-proxy.ts";
import { endIdleSessions, UdpProxy, type UdpProxyShared } from "./udp-proxy.ts";

/** How often it looks for what waited too long, ms, while anything waits. */
const sweepMs = 1000;

/** What an engine works with. */
export interface ProxyEngineInit {
  readonly descriptors: DescriptorLedger;
  readonly limits: ProxyLimits;
  /** A time that never jumps, ms. */
  readonly now: () => number;
}

/**
 * All proxies of a host, on one thread: it waits for all sockets at once and moves bytes between them by
 * system calls alone. Nothing happens but in {@link step}. Connections to targets start in the namespace that
 * the thread is in.
 */
export class ProxyEngine {
  readonly #context: ProxyContext;
  readonly #tcp: TcpProxyShared;
  readonly #udp: UdpProxyShared;
  readonly #proxies = new Map<string, TcpProxy | UdpProxy>();
  #nextSweep = 0;

  constructor(init: ProxyEngineInit) {
    const poller = new Poller();
    init.descriptors.own(poller.fd);
    const context = { ...init, poller, counters: newProxyCounters() };
    this.#context = context;
    this.#tcp = { context, connections: new Set(), connecting: new Set(), heldBack: new Set() };
    this.#udp = { context, sessions: new Set(), datagram: new Datagram() };
  }

  /** Calls `onWake` whenever `fd` can be read. */
  wakeBy(fd: number, onWake: () => void): void {
    this.#context.poller.add(fd, sys.EPOLLIN, onWake);
  }

  /** Serves all of these or none. Throws OBJECT_CONFLICT or KERNEL. */
  serve(proxies: readonly PortProxy[]): void {
    const begun: string[] = [];
    try {
      for (const proxy of proxies) {
        if (this.#proxies.has(proxy.id))
          throw new WeftError(
            "OBJECT_CONFLICT",
            `the port proxy ${proxy.id} is served already: stop it first`,
          );
        this.#proxies.set(
          proxy.id,
          proxy.protocol === "tcp" ? new TcpProxy(proxy, this.#tcp) : new UdpProxy(proxy, this.#udp),
        );
        begun.push(proxy.id);
      }
    } catch (error) {
      this.stop(begun);
      throw error;
    }
  }

  /** Ends these with their connections and sessions; ids that are not served are passed over. */
  stop(ids: readonly string[]): void {
    for (const id of ids) {
      this.#proxies.get(id)?.close();
      this.#proxies.delete(id);
    }
  }

  /** Waits until there is something to do, at most `timeoutMs` (-1: no limit), does it, and gives how many sockets it concerned. */
  step(timeoutMs: number): number {
    const ready = this.#context.poller.wait(this.#waitMs(timeoutMs));
    if (this.#isWaiting() && this.#context.now() >= this.#nextSweep) this.#sweep();
    return ready;
  }

  /** Figures as they are now. */
  stats(): ProxyStats {
    return {
      ports: this.#proxies.size,
      openConnections: this.#tcp.connections.size,
      openSessions: this.#udp.sessions.size,
      counters: { ...this.#context.counters },
    };
  }

  /** Ends everything and closes what it owns. */
  close(): void {
    this.stop([...this.#proxies.keys()]);
    this.#context.descriptors.close(this.#context.poller.fd);
  }

  #isWaiting(): boolean {
    return this.#tcp.connecting.size + this.#tcp.heldBack.size + this.#udp.sessions.size > 0;
  }

  #waitMs(timeoutMs: number): number {
    if (!this.#isWaiting()) return timeoutMs;
    const untilSweep = Math.max(0, Math.ceil(this.#nextSweep - this.#context.now()));
    return timeoutMs < 0 ? untilSweep : Math.min(timeoutMs, untilSweep);
  }

  #sweep(): void {
    const now = this.#context.now();
    this.#nextSweep = now + sweepMs;
    for (const connection of this.#tcp.connecting) {
      if (!connection.connecting) this.#tcp.connecting.delete(connection);
      else if (connection.deadline <= now) connection.fail();
      else break;
    }
    // A shortage of descriptors or memory may have passed without any connection of ours ending.
    for (const proxy of [...this.#tcp.heldBack]) proxy.resume();
    endIdleSessions(this.#udp);
  }
}
