import { Conversation, echoServer } from "../../test/e2e/daemon/conversation.ts";
import { type CrowdOptions, makeCrowd } from "../../test/e2e/daemon/crowd.ts";
import { accountOf, assertHostHolds } from "../../test/e2e/daemon/host-account.ts";
import { type TestDaemon, withDaemon } from "../../test/e2e/daemon/test-daemon.ts";
import { until } from "../../test/e2e/until.ts";
import { hostAddresses, joinToHost } from "../../test/e2e/uplink.ts";
import { quantile } from "../measure.ts";
import type { DaemonFigure } from "./figures.ts";

const connections = 10;
const firstEchoPort = 7000;

/** From the start of the process until it says that it is ready, ms. */
async function startTime(daemon: TestDaemon): Promise<number> {
  const start = performance.now();
  await daemon.start();
  return performance.now() - start;
}

/** How long a daemon takes to be ready that has nothing, not even a store. */
export async function emptyStarts(rounds: number): Promise<readonly DaemonFigure[]> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++)
    await withDaemon(
      async (daemon) => {
        samples.push(await startTime(daemon));
      },
      { started: false },
    );
  return [{ what: "ready without a store", unit: "ms", figure: quantile(samples, 0.5), aim: 500 }];
}

/** How long one takes that has many endpoints and ports, with connections that go on meanwhile. */
export async function fullStarts(endpoints: number, rounds: number): Promise<readonly DaemonFigure[]> {
  const crowd: CrowdOptions = {
    clients: 50,
    sandboxes: endpoints - connections,
    networks: Math.ceil(endpoints / 500),
    firstPort: 10_000,
  };
  const [ends, kills]: [number[], number[]] = [[], []];
  await withDaemon(
    async (daemon) => {
      await makeCrowd(daemon, crowd);
      const open = await converse(daemon);
      for (let round = 0; round < rounds; round++)
        for (const [samples, signal] of [
          [ends, "SIGTERM"],
          [kills, "SIGKILL"],
        ] as const) {
          await daemon.kill(signal);
          await goOn(open);
          samples.push(await startTime(daemon));
          await goOn(open);
        }
      await assertHostHolds(daemon, await accountOf(daemon));
      for (const one of open) one.end();
    },
    { prepare: joinToHost },
  );
  const what = `ready with ${endpoints} endpoints and published ports,`;
  return [
    { what: `${what} after SIGTERM`, unit: "ms", figure: quantile(ends, 0.5), aim: 3000 },
    { what: `${what} after kill -9`, unit: "ms", figure: quantile(kills, 0.5), aim: 3000 },
  ];
}

/** Connections from outside, each through a port of its own. */
async function converse(daemon: TestDaemon): Promise<readonly Conversation[]> {
  const open: Conversation[] = [];
  for (let i = 0; i < connections; i++) {
    const port = firstEchoPort + i;
    const command = ["busybox", "nc", "-w", "2", "127.0.0.1", String(port)];
    await daemon.ok("run", "-d", "--name", `echo${i}`, "-p", `${port}:${port}`, ...echoServer(port));
    await until("it listens", async () => (await daemon.weft("exec", `echo${i}`, ...command)).status === 0);
    open.push(new Conversation(daemon.outside, hostAddresses.ipv4, port));
  }
  await goOn(open);
  return open;
}

async function goOn(open: readonly Conversation[]): Promise<void> {
  await Promise.all(open.map((one) => one.goOn()));
}
