import { type Id, systemRandom } from "../../../src/core/index.ts";
import { newCounters } from "../../../src/dns/counters.ts";
import { defaultForwardLimits, Forwarder, type ForwardLimits } from "../../../src/dns/index.ts";
import { ManualTimers } from "../manual-timers.ts";
import { decodeResponse, idOf, queryFor } from "../samples.ts";
import { ManualSockets, servers } from "./manual-sockets.ts";
import { asking } from "./upstream-samples.ts";

/** A sandbox of {@link ForwardRig}. */
export const sandbox = idOf(101);

/** A forwarder with everything around it in the test's hands. */
export class ForwardRig {
  readonly sockets = new ManualSockets();
  readonly timers = new ManualTimers();
  readonly counters = newCounters();
  readonly forwarder: Forwarder;

  /** {@link sandbox} uses servers at these addresses. */
  constructor(addresses: readonly string[], limits: Partial<ForwardLimits> = {}) {
    this.forwarder = new Forwarder({
      sockets: this.sockets,
      random: systemRandom,
      now: this.timers.now,
      startTimer: this.timers.start,
      counters: this.counters,
      limits: { ...defaultForwardLimits, ...limits },
    });
    this.forwarder.set(sandbox, { servers: servers(...addresses) });
  }

  /** Asks as `who`; the answer as bytes. */
  async raw(query: Uint8Array, transport: "udp" | "tcp" = "udp", who: Id = sandbox) {
    return this.forwarder.upstreamsOf(who)?.forward({ query: asking(query), transport });
  }

  /** Asks as `who`; the answer as dns-packet reads it. */
  async ask(
    query: Uint8Array = queryFor("www.example.org"),
    transport: "udp" | "tcp" = "udp",
    who: Id = sandbox,
  ) {
    return decodeResponse(await this.raw(query, transport, who));
  }
}
