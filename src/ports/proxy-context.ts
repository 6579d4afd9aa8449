import type { DescriptorLedger } from "./descriptor-ledger.ts";
import type { Poller } from "./poller.ts";
import type { ProxyCounters } from "./port-proxies.ts";
import type { ProxyLimits } from "./proxy-limits.ts";

/** What all proxies of an engine share. */
export interface ProxyContext {
  readonly poller: Poller;
  readonly descriptors: DescriptorLedger;
  readonly limits: ProxyLimits;
  readonly counters: ProxyCounters;
  /** A time that never jumps, ms. */
  readonly now: () => number;
}

/** The errors of socket(2) and accept(2) that pass when others close something. */
export const shortages = ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"] as const;
