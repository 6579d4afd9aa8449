import type { Controller, Network, Sandbox } from "../../src/index.ts";
import { type Load, load, loadWhile } from "./dnsperf.ts";
import { quantile } from "./quantile.ts";
import type { WeftPeer } from "./weft.ts";

/** How long one query took, asked one at a time. */
export interface LatencyFigures {
  readonly answers: number;
  readonly lost: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Latency while nothing else happens, and while networks are deleted. */
export interface DeletionFigures {
  readonly networks: number;
  readonly quiet: LatencyFigures;
  readonly deleting: LatencyFigures;
}

/** One query at a time, about 1,000 a second. */
const oneByOne: Load = { clients: 1, outstanding: 1, perSecond: 1000 };
const networks = 100;
/** Far more than deleting them takes. */
const limitSeconds = 120;

/** Makes networks with a sandbox each, and deletes all of them at once while the resolver is asked; `rounds` times. */
export async function deletions(peer: WeftPeer, rounds: number, seconds: number): Promise<DeletionFigures> {
  const quiet = new Answers();
  const deleting = new Answers();
  for (let round = 0; round < rounds; round++) {
    const made = await makeNetworks(peer.controller);
    quiet.add(await load(peer, oneByOne, seconds));
    deleting.add(await loadWhile(peer, oneByOne, () => deleteAll(peer.controller, made), limitSeconds));
  }
  return { networks, quiet: quiet.figures(), deleting: deleting.figures() };
}

/** Adds up what several rounds measured. */
class Answers {
  readonly #latenciesMs: number[] = [];
  #lost = 0;

  add({ latenciesMs, lost }: { readonly latenciesMs: Float64Array; readonly lost: number }): void {
    for (const latency of latenciesMs) this.#latenciesMs.push(latency);
    this.#lost += lost;
  }

  figures(): LatencyFigures {
    const at = (share: number) => quantile(this.#latenciesMs, share);
    const [medianMs, p99Ms, maxMs] = [at(0.5), at(0.99), at(1)];
    return { answers: this.#latenciesMs.length, lost: this.#lost, medianMs, p99Ms, maxMs };
  }
}

interface Made {
  readonly network: Network;
  readonly sandbox: Sandbox;
}

async function makeNetworks(controller: Controller): Promise<readonly Made[]> {
  const made: Made[] = [];
  for (let i = 0; i < networks; i++) {
    const network = await controller.createNetwork("bridge", `gone${i}`);
    made.push({ network, sandbox: await controller.createSandbox(`gone${i}`, { endpoints: [{ network }] }) });
  }
  await controller.idle();
  return made;
}

async function deleteAll(controller: Controller, made: readonly Made[]): Promise<void> {
  await Promise.all(
    made.map(async ({ network, sandbox }) => {
      await sandbox.delete();
      await network.delete();
    }),
  );
  await controller.idle();
}
