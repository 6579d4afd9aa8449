import type { NetlinkRequest } from "./message.ts";
import { GenerationFilter, type GenerationsFilter } from "./nftables/generation-filter.ts";
import {
  DisturbedLinkFilter,
  type DisturbedLinksFilter,
  disturbedLinksQuery,
} from "./rtnetlink/disturbed-links.ts";

/**
 * What of all that a monitored socket is told is worth telling: the monitor's own thread passes over the
 * rest, so that a process which changes much itself pays little for listening. Plain data, for it is sent
 * to that thread.
 */
export type MonitorFilter = GenerationsFilter | DisturbedLinksFilter;

/** A filter at work. It may hold datagrams back until it knows what they are. */
export interface DatagramFilter {
  /** What there is to tell now that this one came, in order. `datagram` holds only until the next one. */
  pass(datagram: Buffer): readonly Uint8Array[];
  /** The kernel dropped some: what was held back or learned counts no more. */
  reset(): void;
}

/** The filter that a description stands for. */
export function datagramFilter(filter: MonitorFilter): DatagramFilter {
  return filter.filter === "generations" ? new GenerationFilter(filter) : new DisturbedLinkFilter(filter);
}

/** The dump that a filter begins with, and begins again with after a reset; its answers come as messages do. */
export function queryOf(filter: MonitorFilter | undefined): NetlinkRequest | undefined {
  return filter?.filter === "disturbed-links" ? disturbedLinksQuery : undefined;
}
