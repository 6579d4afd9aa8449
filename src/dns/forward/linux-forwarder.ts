import { systemClock, systemRandom } from "../../core/index.ts";
import type { DnsCounters } from "../counters.ts";
import { systemTimer } from "../timers.ts";
import { defaultForwardLimits, Forwarder } from "./forwarder.ts";
import { linuxSockets } from "./linux-sockets.ts";

/** A forwarder on the machine's sockets, clock and randomness. */
export function linuxForwarder(counters: DnsCounters): Forwarder {
  return new Forwarder({
    sockets: linuxSockets,
    random: systemRandom,
    now: systemClock.monotonic,
    startTimer: systemTimer,
    counters,
    limits: defaultForwardLimits,
  });
}
