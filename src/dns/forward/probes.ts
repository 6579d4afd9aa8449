import { flag } from "../protocol.ts";
import type { Timer } from "../timers.ts";
import type { AskedQuestion } from "./asked-question.ts";
import { Exchange, type Outcome } from "./exchange.ts";
import { type LookupTools, silenceMs } from "./lookup.ts";
import type { Upstream } from "./upstream.ts";

/**
 * The root's name servers, which every resolver knows or can find out (RFC 8109 §3): a server's silence to it is the
 * server's own, while that to a name may be the fault of whoever runs the name's zone.
 */
const rootServers: AskedQuestion = {
  key: "probe",
  bytes: Uint8Array.of(0, 0, 2, 0, 1), // the empty name, NS, IN
  type: 2,
  flags: flag.RD,
  dnssecOk: false,
};

interface Probe {
  readonly exchanges: Exchange[];
  readonly startedAt: number;
  timer: Timer | undefined;
}

/**
 * Asks servers that are doubted or down, beside the lookups that go to others, so that the doubted ones are
 * known for what they are, and the others come back without anybody waiting for them. One probe of a
 * server runs at a time. Any answer speaks for the server, a refusal too; only silence to a question
 * that nobody chose speaks against it, when it was asked twice.
 */
export class Probes {
  readonly #tools: LookupTools;
  readonly #running = new Map<Upstream, Probe>();

  constructor(tools: LookupTools) {
    this.#tools = tools;
  }

  /**
   * Asks those of `upstreams` that are doubted, or are down and have rested. Of the latter `asked` is asked as
   * well, which the others are being asked anyway, for a server that tells nobody about the root.
   */
  begin(upstreams: readonly Upstream[], asked?: AskedQuestion): void {
    const now = this.#tools.now();
    for (const upstream of upstreams) {
      if (this.#running.has(upstream)) continue;
      if (upstream.isDoubted) this.#probe(upstream, undefined);
      // When all are down, they are asked by the lookup itself.
      else if (upstream.hasRested(now) && !upstreams.every(({ isDown }) => isDown)) {
        this.#probe(upstream, asked);
      }
    }
  }

  /** Ends the probe of a server. */
  end(upstream: Upstream): void {
    const probe = this.#running.get(upstream);
    this.#running.delete(upstream);
    probe?.timer?.stop();
    for (const exchange of probe?.exchanges ?? []) exchange.close();
  }

  /** Ends all. */
  close(): void {
    for (const upstream of [...this.#running.keys()]) this.end(upstream);
  }

  #probe(upstream: Upstream, beside: AskedQuestion | undefined): void {
    const { now, startTimer, counters } = this.#tools;
    const probe: Probe = { exchanges: [], startedAt: now(), timer: undefined };
    this.#running.set(upstream, probe);
    probe.timer = startTimer(silenceMs / 2, () => {
      probe.timer = startTimer(silenceMs / 2, () => {
        counters.upstreamTimeouts++;
        this.#failed(upstream, probe);
      });
      this.#ask(upstream, probe, rootServers, true); // the first may be lost, or its EDNS not understood
    });
    if (beside !== undefined) this.#ask(upstream, probe, beside, false);
    this.#ask(upstream, probe, rootServers, false);
  }

  #ask(upstream: Upstream, probe: Probe, question: AskedQuestion, again: boolean): void {
    if (!this.#isRunning(upstream, probe)) return; // what was asked before has told enough
    const exchange = new Exchange(upstream, question, again, this.#tools, (outcome) => {
      if (this.#isRunning(upstream, probe)) this.#heard(upstream, probe, question, outcome);
    });
    probe.exchanges.push(exchange);
    exchange.begin();
  }

  #heard(upstream: Upstream, probe: Probe, question: AskedQuestion, outcome: Outcome): void {
    if (outcome.kind === "refusal") upstream.noteAlive(this.#tools.now());
    const speaks = outcome.kind === "answer" || outcome.kind === "refusal";
    if (!speaks && question !== rootServers) return;
    if (outcome.kind === "failed") this.#failed(upstream, probe);
    else this.end(upstream);
  }

  #failed(upstream: Upstream, probe: Probe): void {
    if (upstream.noteProbeFailed(probe.startedAt, this.#tools.now())) this.#tools.counters.serversDown++;
    this.end(upstream);
  }

  #isRunning(upstream: Upstream, probe: Probe): boolean {
    return this.#running.get(upstream) === probe;
  }
}
