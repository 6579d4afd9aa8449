import {
  type CrowdOptions,
  crowdName,
  idleCommand,
  makeCrowd,
  removeCrowd,
} from "../../test/e2e/daemon/crowd.ts";
import { accountOf, assertHostHolds } from "../../test/e2e/daemon/host-account.ts";
import { type TestDaemon, withDaemon } from "../../test/e2e/daemon/test-daemon.ts";
import { until } from "../../test/e2e/until.ts";
import { timed } from "../measure.ts";
import type { DaemonFigure } from "./figures.ts";
import { available, residentOf, waitingProcesses } from "./process-memory.ts";

const seconds = async (work: () => Promise<unknown>) => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

/** Many clients that ask at once for many sandboxes with a command each. */
export async function manySandboxes(sandboxes: number, rounds: number): Promise<readonly DaemonFigure[]> {
  const crowd: CrowdOptions = {
    clients: 200,
    sandboxes,
    networks: Math.ceil(sandboxes / 200),
    command: idleCommand,
  };
  const figures: DaemonFigure[] = [];
  await withDaemon(async (daemon) => {
    await until("a process waits", () => waitingProcesses(daemon).length > 0);
    const before = { daemon: residentOf(daemon.pid), machine: available() };
    const making = await seconds(() => makeCrowd(daemon, crowd));
    await until("a process waits", () => waitingProcesses(daemon).length > 0);
    const made = { daemon: residentOf(daemon.pid), machine: available() };
    const waiting = waitingProcesses(daemon);
    const title = `${crowd.clients} clients at once, ${sandboxes} sandboxes with a command each`;
    const each = (mb: number) => (mb * 1000) / sandboxes;
    figures.push(
      { what: `${title}: making all`, unit: "s", figure: making },
      { what: "  the daemon's resident memory, without sandboxes", unit: "MB", figure: before.daemon },
      { what: `  with ${sandboxes}`, unit: "MB", figure: made.daemon },
      { what: "  of it for each sandbox", unit: "kB", figure: each(made.daemon - before.daemon) },
      { what: "  processes of weft's beside the daemon and the commands", unit: "", figure: waiting.length },
      {
        what: "  their resident memory",
        unit: "MB",
        figure: waiting.reduce((sum, pid) => sum + residentOf(pid), 0),
      },
      { what: "  resident memory of a command itself", unit: "kB", figure: await commandMemory(daemon) },
      {
        what: "  the machine's memory for each sandbox: all of these, and the kernel's share",
        unit: "kB",
        figure: each(before.machine - made.machine),
      },
      ...(await listing(daemon, sandboxes, rounds)),
    );
    await daemon.kill();
    const restart = await seconds(() => daemon.start());
    figures.push(
      { what: `  ready again after kill -9 with ${sandboxes}`, unit: "ms", figure: restart * 1000 },
      { what: "  the daemon's resident memory then", unit: "MB", figure: residentOf(daemon.pid) },
    );
    await assertHostHolds(daemon, await accountOf(daemon));
    figures.push({
      what: "  removing all",
      unit: "s",
      figure: await seconds(() => removeCrowd(daemon, crowd)),
    });
    await assertHostHolds(daemon, await accountOf(daemon));
  });
  return figures;
}

/** Of one of the crowd, kB. */
async function commandMemory({ client }: TestDaemon): Promise<number> {
  return residentOf((await client.sandbox(crowdName(0))).State.Pid) * 1000;
}

async function listing(daemon: TestDaemon, count: number, rounds: number): Promise<readonly DaemonFigure[]> {
  const api = await timed(rounds * 2, () => daemon.client.sandboxes(), 3);
  const whole = await timed(rounds * 2, () => daemon.ok("ps"), 1);
  return [
    { what: `  weft ps with ${count}: the daemon's answer`, unit: "ms", figure: api.medianMs, aim: 200 },
    { what: `  weft ps with ${count}: the whole command`, unit: "ms", figure: whole.medianMs, aim: 200 },
  ];
}
