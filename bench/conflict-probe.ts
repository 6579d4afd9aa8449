import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Controller, type Network } from "../src/index.ts";
import { unmountPrivateFolder } from "../src/kernel/netlink/index.ts";
import { WireDriver } from "../test/cnm/wire-driver.ts";
import { type TestNetns, withNetns } from "../test/netns-fixture.ts";
import { type Timing, timed, timingOf } from "./measure.ts";

/** The name of this part of the bench. */
export const conflictProbePart = "conflict-probe";

/** What asking others for an address costs. */
export interface ConflictProbeFigures {
  readonly rows: readonly { readonly operation: string; readonly timing: Timing }[];
}

const runs = 30;
/** How many join at the same time, and how often. */
const crowd = 50;
const crowdRuns = 5;

/** Measures joins on networks on a wire with a machine at its other end: with the probe, and without. */
export function conflictProbe(): Promise<ConflictProbeFigures> {
  return withNetns(["host", "machine"], async ({ host, machine }) => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), "weft-bench-")));
    try {
      const controller = await Controller.open({
        root,
        hostNetns: host.path,
        extraDrivers: [new WireDriver()],
      });
      try {
        return { rows: await rowsOf(controller, host, machine) };
      } finally {
        await controller.purge();
      }
    } finally {
      unmountPrivateFolder(join(root, "run"));
      rmSync(root, { recursive: true, force: true });
    }
  });
}

async function rowsOf(controller: Controller, host: TestNetns, machine: TestNetns) {
  const silent = await wireNetwork(controller, host, machine, 0, false);
  const asking = await wireNetwork(controller, host, machine, 1, true);
  const held = await wireNetwork(controller, host, machine, 2, true);
  machine.exec("ip", "address", "add", "10.52.0.2/16", "dev", "m2");
  const row = async (operation: string, work: Promise<Timing>) => ({ operation, timing: await work });
  return [
    await row("make an endpoint and join, without the probe", joins(controller, silent)),
    await row("the same with the probe", joins(controller, asking)),
    await row("the same where a machine has the first free address", joins(controller, held)),
    await row("refuse an address that a machine has", refusals(controller, held)),
    await row(`${crowd} sandboxes with an endpoint at once, without the probe`, crowds(controller, silent)),
    await row("the same with the probe", crowds(controller, asking)),
  ];
}

/** A network whose bridge has a port that leads to the machine. */
async function wireNetwork(
  controller: Controller,
  host: TestNetns,
  machine: TestNetns,
  number: number,
  probe: boolean,
): Promise<Network> {
  const [bridge, port, far] = [`lan${number}`, `up${number}`, `m${number}`];
  const network = await controller.createNetwork("wire", bridge, {
    options: { "com.docker.network.bridge.name": bridge, "weft.conflict_probe": String(probe) },
    ipam: { subnets: [{ subnet: `10.${50 + number}.0.0/16` }] },
  });
  host.exec("ip", "link", "add", port, "type", "veth", "peer", "name", far, "netns", machine.path);
  host.exec("ip", "link", "set", port, "master", bridge, "up");
  machine.exec("ip", "link", "set", far, "up");
  return network;
}

async function joins(controller: Controller, network: Network): Promise<Timing> {
  const names = Array.from({ length: runs + 20 }, (_, i) => `${network.name}-${i}`);
  const sandboxes = await Promise.all(names.map((name) => controller.createSandbox(name)));
  const timing = await timed(runs, (run) => sandboxes[run]?.connect(network));
  for (const sandbox of sandboxes) await sandbox.delete();
  await controller.idle();
  return timing;
}

async function refusals(controller: Controller, network: Network): Promise<Timing> {
  const sandbox = await controller.createSandbox("refused");
  const timing = await timed(runs, async () => {
    const error: unknown = await sandbox.connect(network, { ipv4Address: "10.52.0.2" }).catch((e) => e);
    if (!(error instanceof Error) || !("code" in error) || error.code !== "ADDRESS_CONFLICT") throw error;
  });
  await sandbox.delete();
  return timing;
}

async function crowds(controller: Controller, network: Network): Promise<Timing> {
  const samples: Timing[] = [];
  for (let run = 0; run < crowdRuns; run++) {
    const names = Array.from({ length: crowd }, (_, i) => `${network.name}-${run}-${i}`);
    const endpoints = [{ network }];
    samples.push(
      await timed(
        1,
        () => Promise.all(names.map((name) => controller.createSandbox(name, { endpoints }))),
        0,
      ),
    );
    for (const sandbox of controller.sandboxes()) await sandbox.delete();
    await controller.idle();
  }
  return timingOf(samples.map(({ medianMs }) => medianMs));
}

/** The figures as lines of text. */
export function conflictProbeTable({ rows }: ConflictProbeFigures): readonly string[] {
  const line = (name: string, median: string, p95: string) =>
    `${name.padEnd(66)}${median.padStart(9)}${p95.padStart(9)}`;
  return [
    line("asking others for an address, ms", "median", "p95"),
    ...rows.map(({ operation, timing }) =>
      line(operation, timing.medianMs.toFixed(1), timing.p95Ms.toFixed(1)),
    ),
    "",
  ];
}
