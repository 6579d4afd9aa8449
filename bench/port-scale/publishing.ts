import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Controller, Network } from "../../src/index.ts";
import { withNetns } from "../../test/netns-fixture.ts";
import { quantile } from "../measure.ts";
import { BenchController } from "./bench-controller.ts";

/** One figure of many published ports. */
export interface PortScaleFigure {
  readonly what: string;
  readonly unit: "ms" | "MB";
  readonly figure: number;
}

const sandboxes = 500;
const portsEach = 10;
/** Where the host's published ports begin. */
const firstPort = 10_000;

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** What publishing, restarting and deleting take with many ports, on a dual-stack network of a host of its own. */
export function publishing(rounds: number): Promise<readonly PortScaleFigure[]> {
  return withNetns(["host"], async ({ host }) => {
    host.exec("ip", "link", "set", "lo", "up");
    const bench = new BenchController(host.path);
    try {
      const controller = await bench.open();
      const network = await controller.createNetwork("bridge", "ports", { ipv6: true });
      const thousand = await thousandPorts(controller, network, rounds);
      return [...thousand, ...(await manySandboxes(bench, controller, network))];
    } finally {
      await bench.end();
    }
  });
}

/** A sandbox with 1,000 ports and one without by turns, after a turn that is not counted. */
async function thousandPorts(
  controller: Controller,
  network: Network,
  rounds: number,
): Promise<readonly PortScaleFigure[]> {
  const plain: number[] = [];
  const published: number[] = [];
  for (let round = 0; round <= rounds; round++)
    for (const [samples, ports] of [
      [plain, []],
      [published, [range(0, 1000)]],
    ] as const) {
      const time = await timeOf(async () => {
        await controller.createSandbox("one", { endpoints: [{ network }], ports });
      });
      if (round > 0) samples.push(time);
      await controller.sandbox("one").delete();
      await controller.idle();
    }
  const [without, withPorts] = [median(plain), median(published)];
  return [
    { what: "make a sandbox", unit: "ms", figure: without },
    { what: "make one with 1,000 published ports", unit: "ms", figure: withPorts },
    { what: "  of it for the ports", unit: "ms", figure: withPorts - without },
  ];
}

async function manySandboxes(
  bench: BenchController,
  controller: Controller,
  network: Network,
): Promise<readonly PortScaleFigure[]> {
  const before = residentMegabytes();
  const times: number[] = [];
  for (let index = 0; index < sandboxes; index++)
    times.push(
      await timeOf(async () => {
        const ports = [range(index * portsEach, portsEach)];
        await controller.createSandbox(`box${index}`, { endpoints: [{ network }], ports });
      }),
    );
  const made = residentMegabytes();
  await bench.close();
  let again = controller;
  const restart = await timeOf(async () => {
    again = await bench.open();
  });
  const restarted = residentMegabytes();
  const removal = await timeOf(async () => {
    await Promise.all(again.sandboxes().map((sandbox) => sandbox.delete()));
    await again.idle();
  });
  const total = times.reduce((sum, time) => sum + time, 0);
  const many = `${sandboxes} sandboxes with ${portsEach} ports each`;
  return [
    { what: `make ${many}`, unit: "ms", figure: total },
    { what: "  each, the first 50", unit: "ms", figure: median(times.slice(0, 50)) },
    { what: "  each, the last 50", unit: "ms", figure: median(times.slice(-50)) },
    { what: `open a controller again, with ${many}`, unit: "ms", figure: restart },
    { what: "delete all of them, until complete", unit: "ms", figure: removal },
    { what: "resident memory before them", unit: "MB", figure: before },
    { what: `  with ${many}`, unit: "MB", figure: made },
    { what: "  after the restart, in the same process", unit: "MB", figure: restarted },
    { what: "  after they were deleted", unit: "MB", figure: residentMegabytes() },
  ];
}

/** So many ports, each to the same port of the sandbox, as Docker writes them. */
function range(first: number, count: number): string {
  const ports = `${firstPort + first}-${firstPort + first + count - 1}`;
  return `${ports}:${ports}`;
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** Resident memory of this process once what is garbage was collected. */
function residentMegabytes(): number {
  for (let i = 0; i < 3; i++) collectGarbage();
  return process.memoryUsage().rss / 1e6;
}
