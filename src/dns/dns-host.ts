import { type Id, shortId, throwAll, WeftError } from "../core/index.ts";
import { type DnsCounters, newCounters } from "./counters.ts";
import { FairShare } from "./fair-share.ts";
import { discardFd } from "./fd.ts";
import type { Forwarder, Forwarding, ForwardStats } from "./forward/index.ts";
import type { Listener } from "./listener.ts";
import { NameTable, type Publication } from "./name-table.ts";
import { createView, type NameLink, type NameView, type NetworkRef } from "./name-view.ts";
import type { RandomBelow } from "./resolver.ts";
import { createResponder } from "./responder.ts";
import { type ServerFds, serveDns } from "./server.ts";

/** How much is served, and what came of it so far. */
export interface DnsStats {
  readonly sandboxes: number;
  readonly networks: number;
  readonly endpoints: number;
  readonly counters: DnsCounters;
  readonly forwarding: ForwardStats;
}

/** What a host's DNS works with. */
export interface DnsHostInit {
  /** Chooses which of a name's addresses comes first. */
  readonly random: RandomBelow;
  readonly createForwarder: (counters: DnsCounters) => Forwarder;
}

/** TCP connections at a time of all sandboxes together, besides each one's own limit. */
const maxConnections = 4096;

interface Sandbox {
  view: NameView;
  server: Promise<Listener> | undefined;
}

/** All of the DNS of one host: the names, what each sandbox sees of them, and its servers. Runs in the worker. */
export class DnsHost {
  readonly #table = new NameTable();
  readonly #counters = newCounters();
  readonly #sandboxes = new Map<Id, Sandbox>();
  readonly #random: RandomBelow;
  readonly #forwarder: Forwarder;
  readonly #connections = new FairShare<Id>(maxConnections);

  constructor({ random, createForwarder }: DnsHostInit) {
    this.#random = random;
    this.#forwarder = createForwarder(this.#counters);
  }

  /** See {@link NameTable.publish}. */
  publish(network: Id, endpoint: Id, publication: Publication): void {
    this.#table.publish(network, endpoint, publication);
  }

  /** See {@link NameTable.withdraw}. */
  withdraw(network: Id, endpoint: Id): void {
    this.#table.withdraw(network, endpoint);
  }

  /** Makes these, in gateway order, the networks whose names `sandbox` sees, and its own names; none until it is called. */
  view(sandbox: Id, networks: readonly NetworkRef[], links: readonly NameLink[] = []): void {
    this.#sandbox(sandbox).view = createView(this.#table, networks, links);
  }

  /** See {@link Forwarder.set}; nothing is forwarded until it is called. */
  forward(sandbox: Id, forwarding: Forwarding): void {
    this.#forwarder.set(sandbox, forwarding);
  }

  /** See {@link Forwarder.flushCache}. */
  flushCache(): void {
    this.#forwarder.flushCache();
  }

  /**
   * Serves `sandbox` on two bound sockets, which are the host's from now on, also when it fails.
   * Rejects with SANDBOX_EXISTS when it is served already, and KERNEL when it cannot listen.
   */
  async serve(id: Id, fds: ServerFds): Promise<void> {
    const sandbox = this.#sandbox(id);
    if (sandbox.server !== undefined) {
      discardFd(fds.udpFd);
      discardFd(fds.tcpFd);
      throw new WeftError("SANDBOX_EXISTS", `sandbox ${shortId(id)} is served already: stop it first`);
    }
    const respond = createResponder({
      view: () => sandbox.view,
      random: this.#random,
      counters: this.#counters,
      upstreams: () => this.#forwarder.upstreamsOf(id),
    });
    const places = {
      take: () => this.#connections.take(id),
      give: () => this.#connections.give(id),
    };
    sandbox.server = serveDns({ ...fds, respond, counters: this.#counters, places });
    try {
      await sandbox.server;
    } catch (error) {
      sandbox.server = undefined;
      throw error;
    }
  }

  /** Ends the service of `sandbox` and forgets its view and servers; its sockets are closed when it resolves. */
  async stop(id: Id): Promise<void> {
    this.#forwarder.remove(id);
    const server = this.#sandboxes.get(id)?.server;
    this.#sandboxes.delete(id);
    const listener = await server?.catch(() => undefined); // its failure was told to who asked for it
    await listener?.close();
  }

  /** Figures as they are now. */
  stats(): DnsStats {
    let sandboxes = 0;
    for (const { server } of this.#sandboxes.values()) if (server !== undefined) sandboxes++;
    return {
      sandboxes,
      ...this.#table.size,
      counters: this.#counters,
      forwarding: this.#forwarder.stats(),
    };
  }

  /** Stops every sandbox. Throws what went wrong, after all were tried. */
  async close(): Promise<void> {
    this.#forwarder.close();
    const ended = await Promise.allSettled([...this.#sandboxes.keys()].map((id) => this.stop(id)));
    throwAll(
      "closing the DNS servers",
      ended.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : [])),
    );
  }

  #sandbox(id: Id): Sandbox {
    const known = this.#sandboxes.get(id);
    if (known !== undefined) return known;
    const sandbox: Sandbox = { view: createView(this.#table, []), server: undefined };
    this.#sandboxes.set(id, sandbox);
    return sandbox;
  }
}
