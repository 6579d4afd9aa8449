import { setTimeout as delay } from "node:timers/promises";
import type { Controller, Network, Sandbox } from "../../src/index.ts";
import { type AskerFigures, askWhile } from "./asker.ts";
import { quantile } from "./quantile.ts";
import type { WeftPeer } from "./weft.ts";

/** How long one query took, asked one at a time: medians of the rounds, and the longest of all. */
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

const networks = 100;

/** Makes networks with a sandbox each, and deletes all of them at once while the resolver is asked; `rounds` times. */
export async function deletions(peer: WeftPeer, rounds: number, seconds: number): Promise<DeletionFigures> {
  const quiet: AskerFigures[] = [];
  const deleting: AskerFigures[] = [];
  for (let round = 0; round < rounds; round++) {
    const made = await makeNetworks(peer.controller);
    quiet.push(await askWhile(peer, () => delay(seconds * 1000)));
    deleting.push(await askWhile(peer, () => deleteAll(peer.controller, made)));
  }
  return { networks, quiet: summary(quiet), deleting: summary(deleting) };
}

function summary(rounds: readonly AskerFigures[]): LatencyFigures {
  const ofRounds = (share: number) => rounds.map(({ latenciesMs }) => quantile(latenciesMs, share));
  return {
    answers: rounds.reduce((sum, { latenciesMs }) => sum + latenciesMs.length, 0),
    lost: rounds.reduce((sum, { lost }) => sum + lost, 0),
    medianMs: quantile(ofRounds(0.5), 0.5),
    p99Ms: quantile(ofRounds(0.99), 0.5),
    maxMs: quantile(ofRounds(1), 1),
  };
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
