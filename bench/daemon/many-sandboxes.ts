import { readFileSync } from "node:fs";
import { type CrowdOptions, idleCommand, makeCrowd, removeCrowd } from "../../test/e2e/daemon/crowd.ts";
import { accountOf, assertHostHolds } from "../../test/e2e/daemon/host-account.ts";
import { type TestDaemon, withDaemon } from "../../test/e2e/daemon/test-daemon.ts";
import { timed } from "../measure.ts";
import type { DaemonFigure } from "./figures.ts";

/** The daemon's memory in MB: what is its own, and not a file's that others share (proc_pid_status(5)). */
function memoryOf({ pid }: TestDaemon): number {
  const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) / 1000;
}

/** What the machine has left, in MB. */
function available(): number {
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) / 1000;
}

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
    const before = { daemon: memoryOf(daemon), machine: available() };
    const making = await seconds(() => makeCrowd(daemon, crowd));
    const made = { daemon: memoryOf(daemon), machine: available() };
    const title = `${crowd.clients} clients at once, ${sandboxes} sandboxes with a command each`;
    const each = (mb: number) => (mb * 1000) / sandboxes;
    figures.push(
      { what: `${title}: making all`, unit: "s", figure: making },
      { what: "  memory of the daemon, empty", unit: "MB", figure: before.daemon },
      { what: `  memory of the daemon with ${sandboxes}`, unit: "MB", figure: made.daemon },
      { what: "  of it for each sandbox", unit: "kB", figure: each(made.daemon - before.daemon) },
      {
        what: "  memory of the machine for each, its command and the kernel's share included",
        unit: "kB",
        figure: each(before.machine - made.machine),
      },
      ...(await listing(daemon, sandboxes, rounds)),
    );
    await daemon.kill();
    const restart = await seconds(() => daemon.start());
    figures.push(
      { what: `  ready again after kill -9 with ${sandboxes}`, unit: "ms", figure: restart * 1000 },
      { what: "  memory of the daemon then", unit: "MB", figure: memoryOf(daemon) },
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

async function listing(daemon: TestDaemon, count: number, rounds: number): Promise<readonly DaemonFigure[]> {
  const api = await timed(rounds * 2, () => daemon.client.sandboxes(), 3);
  const whole = await timed(rounds * 2, () => daemon.ok("ps"), 1);
  return [
    { what: `  weft ps with ${count}: the daemon's answer`, unit: "ms", figure: api.medianMs, aim: 200 },
    { what: `  weft ps with ${count}: the whole command`, unit: "ms", figure: whole.medianMs, aim: 200 },
  ];
}
