import type { DnsStats } from "../dns/index.ts";
import type { ProxyStats } from "../ports/index.ts";
import type { Context } from "./context.ts";
import type { CountedKernel, KernelFigures } from "./counted-kernel.ts";
import type { Durations } from "./durations.ts";
import type { Verb } from "./operations.ts";
import type { RepairCounters } from "./self-repair.ts";

/** A controller in figures, since it was opened. Durations are in ms; what a caller waited for its answer. */
export interface ControllerStats {
  /** How many there are now, those on their way out among them. */
  readonly networks: number;
  readonly endpoints: number;
  readonly sandboxes: number;
  /** What callers asked for, by verb; a verb that nobody used is absent. */
  readonly operations: Readonly<Partial<Record<Verb, Durations>>>;
  /** Operations that are not answered yet. */
  readonly running: number;
  /** Deletions and the like that go on after their callers were answered. */
  readonly background: number;
  /** What the reconciler asked of the kernel. */
  readonly kernel: KernelFigures;
  readonly repairs: RepairCounters;
  readonly ports: {
    /** Ports of the host that are reserved. */
    readonly published: number;
    /** Ports of sandboxes that other programs have taken. */
    readonly lost: number;
    /** Absent where nothing is proxied, and when its thread does not answer. */
    readonly proxies?: ProxyStats;
  };
  /** Absent without a resolver, and when its thread does not answer. */
  readonly dns?: DnsStats;
}

/** What the parts of a controller that have threads of their own tell. */
export interface ThreadStats {
  readonly dns?: () => Promise<DnsStats>;
  readonly proxies?: () => Promise<ProxyStats>;
}

/** Gathers the figures: those of this thread are kept, the others are asked for. */
export async function statsOf(
  context: Context,
  threads: ThreadStats,
  kernel: CountedKernel,
  repairs: RepairCounters,
): Promise<ControllerStats> {
  const [dns, proxies] = await Promise.all([answerOf(threads.dns), answerOf(threads.proxies)]);
  const { tables, operations, background, hostPorts, lostPorts } = context;
  const lost = [...lostPorts.values()].reduce((sum, ports) => sum + ports.size, 0);
  return {
    networks: tables.networks.size,
    endpoints: tables.endpoints.size,
    sandboxes: tables.sandboxes.size,
    operations: operations.figures,
    running: operations.running,
    background: background.size,
    kernel: kernel.figures,
    repairs,
    ports: {
      published: hostPorts.size,
      lost,
      ...(proxies === undefined ? {} : { proxies }),
    },
    ...(dns === undefined ? {} : { dns }),
  };
}

/** A thread that crashed has no figures; the others are told all the same. */
function answerOf<T>(ask: (() => Promise<T>) | undefined): Promise<T | undefined> {
  return ask === undefined ? Promise.resolve(undefined) : ask().catch(() => undefined);
}
