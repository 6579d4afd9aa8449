import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Controller, type Endpoint, type Network, type Sandbox } from "../src/index.ts";
import { createNetns, mountPrivateFolder, removeNetns, unmountPrivateFolder } from "../src/kernel/index.ts";
import { LmdbStore } from "../src/store/index.ts";
import { BareNetlink } from "./bare-netlink.ts";
import { type Timing, timed, timingOf } from "./measure.ts";

/** One operation at one size. */
export interface ControlPlaneRow {
  readonly operation: string;
  readonly networks: number;
  readonly weft: Timing;
  /** The kernel's share: the same result by bare netlink calls; absent where the operation only tells others. */
  readonly kernel?: Timing;
  /** Durable commits in it, of one row below each. */
  readonly commits: number;
}

/** Everything that was measured in one run. */
export interface ControlPlaneFigures {
  readonly commit: Timing;
  readonly rows: readonly ControlPlaneRow[];
}

const runs = 30;

/** Measures weft's operations beside the kernel's own share of them, with so many networks already there. */
export async function controlPlane(sizes: readonly number[]): Promise<ControlPlaneFigures> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "weft-bench-")));
  const namespaces = join(folder, "netns");
  mountPrivateFolder(namespaces);
  // Namespaces full of bridges go at the very end: the kernel takes them down for many seconds, under
  // the lock that everything measured here wants.
  const atTheEnd: (() => unknown)[] = [];
  try {
    const commit = await durableCommit(join(folder, "store"));
    const rows: ControlPlaneRow[] = [];
    for (const size of sizes) rows.push(...(await atSize(folder, namespaces, size, atTheEnd)));
    return { commit, rows };
  } finally {
    for (const step of atTheEnd) await step();
    unmountPrivateFolder(namespaces);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One awaited transaction of three puts. */
async function durableCommit(path: string): Promise<Timing> {
  const store = await LmdbStore.open({ path, schema: { version: 1, migrations: [] } });
  const value = { name: "x".repeat(200) };
  try {
    return await timed(100, (run) =>
      store.transact((transaction) => {
        for (let i = 0; i < 3; i++) transaction.put(`bench/${run}/${i}`, value);
      }),
    );
  } finally {
    await store.close();
  }
}

async function atSize(
  folder: string,
  namespaces: string,
  size: number,
  atTheEnd: (() => unknown)[],
): Promise<ControlPlaneRow[]> {
  const bare = await bareShares(namespaces, size, atTheEnd);
  const host = join(namespaces, `host${size}`);
  createNetns(host);
  const root = join(folder, `root${size}`);
  mkdirSync(root);
  const controller = await Controller.open({
    root,
    hostNetns: host,
    defaultAddressPools: [{ base: "10.0.0.0/8", size: 24 }],
  });
  atTheEnd.push(async () => {
    await controller.close();
    removeNetns(host);
    unmountPrivateFolder(join(root, "run"));
  });
  for (let i = 0; i < size; i++) await controller.createNetwork("bridge", `there${i}`);
  return weftRows(controller, size, bare);
}

interface BareShares {
  readonly network: Timing;
  readonly networkDelete: Timing;
  readonly join: Timing;
  readonly leave: Timing;
  readonly sandboxWithEndpoint: Timing;
}

/** The kernel's share of each operation, with `size` bridges there. */
async function bareShares(
  namespaces: string,
  size: number,
  atTheEnd: (() => unknown)[],
): Promise<BareShares> {
  const host = join(namespaces, `bare-host${size}`);
  createNetns(host);
  const sandboxFolder = join(namespaces, `bare-sandboxes${size}`);
  mkdirSync(sandboxFolder);
  const bare = new BareNetlink(host, sandboxFolder);
  atTheEnd.push(() => {
    bare.close();
    removeNetns(host);
  });
  for (let i = 0; i < size; i++) bare.createNetwork(i);
  const made: number[] = [];
  const network = await timed(runs, (run) => made.push(bare.createNetwork(size + run)));
  const sandboxes = made.map((_index, run) => bare.createSandbox(run));
  const ends: number[] = [];
  const joined = await timed(runs, (run) =>
    ends.push(bare.join(run, at(made, run), at(sandboxes, run), size + run)),
  );
  const more: string[] = [];
  const sandboxWithEndpoint = await timed(runs, (run) => {
    const path = bare.createSandbox(sandboxes.length + run);
    more.push(path);
    bare.join(1000 + run, at(made, run), path, size + run);
  });
  const leave = await timed(runs, (run) => bare.leave(at(ends, run)));
  const networkDelete = await timed(runs, (run) => bare.deleteNetwork(size + run, at(made, run)));
  atTheEnd.push(() => {
    for (const path of [...sandboxes, ...more]) bare.deleteSandbox(path);
  });
  return { network, networkDelete, join: joined, leave, sandboxWithEndpoint };
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new RangeError(`nothing at ${index}`);
  return value;
}

async function weftRows(controller: Controller, size: number, bare: BareShares): Promise<ControlPlaneRow[]> {
  const networks: Network[] = [];
  const create = await timed(runs, async (run) =>
    networks.push(await controller.createNetwork("bridge", `bench${run}`)),
  );
  const sandboxes: Sandbox[] = [];
  for (let run = 0; run < networks.length; run++) sandboxes.push(await controller.createSandbox(`c${run}`));
  const endpoints: Endpoint[] = [];
  const connect = await timed(runs, async (run) =>
    endpoints.push(await at(sandboxes, run).connect(at(networks, run))),
  );
  const whole: Sandbox[] = [];
  const sandboxWith = await timed(runs, async (run) =>
    whole.push(await controller.createSandbox(`w${run}`, { endpoints: [{ network: at(networks, run) }] })),
  );
  const leave = await answeredAndDone(controller, (run) => at(endpoints, run).leave());
  const remove = await answeredAndDone(controller, (run) => at(whole, run).delete());
  for (const endpoint of endpoints) await endpoint.delete();
  for (const sandbox of sandboxes) await sandbox.delete();
  await controller.idle();
  const networkDelete = await answeredAndDone(controller, (run) => at(networks, run).delete());
  return [
    { operation: "create a bridge network", networks: size, weft: create, kernel: bare.network, commits: 1 },
    {
      operation: "create an endpoint and join it to a sandbox",
      networks: size,
      weft: connect,
      kernel: bare.join,
      commits: 1,
    },
    {
      operation: "create a sandbox with an endpoint",
      networks: size,
      weft: sandboxWith,
      kernel: bare.sandboxWithEndpoint,
      commits: 1,
    },
    { operation: "leave, until the caller is answered", networks: size, weft: leave.answered, commits: 1 },
    { operation: "leave, until complete", networks: size, weft: leave.done, kernel: bare.leave, commits: 2 },
    {
      operation: "delete a sandbox, until the caller is answered",
      networks: size,
      weft: remove.answered,
      commits: 1,
    },
    {
      operation: "delete a sandbox, until complete",
      networks: size,
      weft: remove.done,
      kernel: bare.leave,
      commits: 2,
    },
    {
      operation: "delete a network, until the caller is answered",
      networks: size,
      weft: networkDelete.answered,
      commits: 1,
    },
    {
      operation: "delete a network, until complete",
      networks: size,
      weft: networkDelete.done,
      kernel: bare.networkDelete,
      commits: 2,
    },
  ];
}

/** Times until the caller is answered, and until nothing is on its way out any more. */
async function answeredAndDone(controller: Controller, work: (run: number) => Promise<void>) {
  const answered: number[] = [];
  const done = await timed(runs, async (run) => {
    const start = performance.now();
    await work(run);
    answered.push(performance.now() - start);
    await controller.idle();
  });
  return { answered: timingOf(answered), done };
}
