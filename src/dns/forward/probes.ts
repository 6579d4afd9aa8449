import type { Timer } from "../timers.ts";
import type { AskedQuestion } from "./asked-question.ts";
import { Exchange } from "./exchange.ts";
import { type LookupTools, silenceMs } from "./lookup.ts";
import type { Upstream } from "./upstream.ts";

interface Probe {
  readonly exchange: Exchange;
  readonly timer: Timer;
}

/**
 * Asks servers that are down, beside the lookups that go to others, so that they come back without
 * anybody waiting for them. One probe of a server runs at a time.
 */
export class Probes {
  readonly #tools: LookupTools;
  readonly #running = new Map<Upstream, Probe>();

  constructor(tools: LookupTools) {
    this.#tools = tools;
  }

  /** Asks those of `upstreams` that have rested what is being asked of the others anyway. */
  begin(upstreams: readonly Upstream[], asked: AskedQuestion): void {
    if (upstreams.every(({ isDown }) => isDown)) return; // they are asked by the lookup itself
    const now = this.#tools.now();
    for (const upstream of upstreams) {
      if (upstream.hasRested(now) && !this.#running.has(upstream)) this.#probe(upstream, asked);
    }
  }

  /** Ends the probe of a server. */
  end(upstream: Upstream): void {
    const probe = this.#running.get(upstream);
    this.#running.delete(upstream);
    probe?.timer.stop();
    probe?.exchange.close();
  }

  /** Ends all. */
  close(): void {
    for (const upstream of [...this.#running.keys()]) this.end(upstream);
  }

  #probe(upstream: Upstream, asked: AskedQuestion): void {
    const exchange = new Exchange(upstream, asked, false, this.#tools, () => this.end(upstream));
    const startedAt = this.#tools.now();
    const timer = this.#tools.startTimer(silenceMs, () => {
      this.#tools.counters.upstreamTimeouts++;
      upstream.noteSilence(startedAt, this.#tools.now());
      this.end(upstream);
    });
    this.#running.set(upstream, { exchange, timer });
    exchange.begin();
  }
}
