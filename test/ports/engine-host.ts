import { setImmediate as turn } from "node:timers/promises";
import { DescriptorLedger, newLedgerMemory } from "../../src/ports/descriptor-ledger.ts";
import { type ProxyLimits, proxyLimits } from "../../src/ports/index.ts";
import { ProxyEngine } from "../../src/ports/proxy-engine.ts";
import { type ProxiedHost, withProxiedHost } from "./proxied-host.ts";

/** How long the kernel may take, ms; only what is broken takes it all. */
const patienceMs = 60_000;

/** An engine on this thread, whose time the test moves. */
export interface EngineHost extends ProxiedHost {
  readonly engine: ProxyEngine;
  /** Lets `ms` pass for the engine, and gives how many sockets were ready then. */
  pass(ms: number): number;
  /** Lets the engine and everybody else work until it is so. */
  until(what: string, isSo: () => boolean): Promise<void>;
}

/** Runs `work` with such an engine in the host's namespace, and closes it. */
export async function withEngine(
  limits: Partial<ProxyLimits>,
  work: (given: EngineHost) => Promise<void>,
): Promise<void> {
  await withProxiedHost(async (given) => {
    let now = 1_000_000;
    const engine = new ProxyEngine({
      descriptors: new DescriptorLedger(newLedgerMemory()),
      limits: { ...proxyLimits(20_000), ...limits },
      now: () => now,
    });
    const step = () => given.host.run(() => engine.step(0));
    const until = async (what: string, isSo: () => boolean) => {
      for (const deadline = Date.now() + patienceMs; !isSo(); await turn()) {
        if (Date.now() > deadline)
          throw new Error(`not so after ${patienceMs} ms: ${what}: ${JSON.stringify(engine.stats())}`);
        step();
      }
    };
    const pass = (ms: number) => {
      now += ms;
      return step();
    };
    try {
      await work({ ...given, engine, pass, until });
    } finally {
      engine.close();
    }
  });
}
