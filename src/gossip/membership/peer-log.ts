import type { GossipLog, Timers } from "../environment.ts";

/** How often a peer may be complained of, ms. */
const quiet = 1000;
/** Peers that are remembered; a flood of invented ones must not grow the process. */
const maxPeers = 1024;

/** Complaints about peers, at most one a second each: whoever sends rubbish must not fill the disk. */
export class PeerLog {
  readonly #log: GossipLog;
  readonly #timers: Timers;
  readonly #last = new Map<string, number>();

  constructor(log: GossipLog, timers: Timers) {
    this.#log = log;
    this.#timers = timers;
  }

  warn(message: string, peer: string, facts: Readonly<Record<string, string | number>> = {}): void {
    const now = this.#timers.monotonic();
    const last = this.#last.get(peer);
    if (last !== undefined && now - last < quiet) return;
    if (this.#last.size >= maxPeers) this.#forget(now);
    if (this.#last.size >= maxPeers) return;
    this.#last.set(peer, now);
    this.#log.warn(message, { peer, ...facts });
  }

  #forget(now: number): void {
    for (const [peer, at] of this.#last) if (now - at >= quiet) this.#last.delete(peer);
  }
}
