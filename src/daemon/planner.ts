import type { Plan, PlanRequest } from "../api/index.ts";
import { dispatch } from "../api/index.ts";
import type { Controller } from "../cnm/index.ts";
import type { Clock } from "../core/index.ts";
import type { HostInit } from "./host.ts";
import { Host } from "./host.ts";
import { HostNetworks } from "./networks/host-networks.ts";
import { RecordTable } from "./own-records.ts";
import { PlannedRunner } from "./sandboxes/planned-runner.ts";
import { SandboxBook } from "./sandboxes/sandbox-book.ts";
import { SandboxKeeper } from "./sandboxes/sandbox-keeper.ts";
import type { SandboxRecord } from "./sandboxes/sandbox-record.ts";

/** What requests are tried out with: what the real host has. */
export interface PlannerInit extends Omit<HostInit, "book" | "networks" | "keeper" | "plan" | "events"> {
  readonly controller: Controller;
  readonly random: ConstructorParameters<typeof SandboxKeeper>[0]["random"];
}

/**
 * Tries a request out on a twin of this host that lives in memory: the same records, the same code, and a
 * kernel that only keeps account. Nothing of the real host is changed, no command is started or signalled.
 */
export async function planRequest(init: PlannerInit, request: PlanRequest): Promise<Plan> {
  const twin = await init.controller.twin();
  try {
    const runner = new PlannedRunner();
    const { clock, random } = init;
    const { controller } = twin;
    const book = new SandboxBook(new RecordTable<SandboxRecord>(controller.own("sandboxes")));
    const keeper = new SandboxKeeper({
      controller,
      book,
      runner,
      clock: withoutTimers(clock), // what waits to be started again is not what was asked for
      random,
      tell: () => {},
      onError: () => {}, // what fails is the request's answer
    });
    await keeper.restore();
    const networks = new HostNetworks({ controller, book, keeper, clock, tell: () => {} });
    const host = new Host({
      ...init,
      controller,
      book,
      keeper,
      networks,
      events: { follow: nothingHappens },
      plan: () => Promise.reject(new RangeError("a plan is not planned")),
    });
    const before = { kernel: twin.steps().length, commands: runner.steps.length };
    const { Status, Answer } = await dispatch(host, request);
    await controller.idle();
    await keeper.close();
    const kernel = twin.steps().slice(before.kernel);
    return {
      Status,
      Answer,
      Steps: [
        ...runner.steps.slice(before.commands).filter(({ Step }) => Step === "signal"),
        ...kernel.map(({ step, identity, object }) => ({ Step: step, Object: identity, Value: object })),
        ...runner.steps.slice(before.commands).filter(({ Step }) => Step === "start"),
      ],
    };
  } finally {
    await twin.close();
  }
}

/** A clock by which no wait is ever over. */
function withoutTimers(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (_ms, signal) =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
  };
}

async function* nothingHappens(): AsyncIterable<never> {}
