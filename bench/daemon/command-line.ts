import { spawnSync } from "node:child_process";
import { weftProgram } from "../../test/cli/weft-program.ts";
import { idleCommand } from "../../test/e2e/daemon/crowd.ts";
import { type TestDaemon, withDaemon } from "../../test/e2e/daemon/test-daemon.ts";
import { withNetns } from "../../test/netns-fixture.ts";
import { withDockerd } from "../../test/peers/dockerd.ts";
import { quantile } from "../measure.ts";
import type { DaemonFigure } from "./figures.ts";

/** A command as somebody types it, with what follows it and is not measured. */
interface TimedCommand {
  readonly what: string;
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly aim?: number;
  readonly after?: () => Promise<unknown>;
}

/** What short commands take as people see it, from their start to their end, by turns with Docker's. */
export async function commandLine(rounds: number): Promise<readonly DaemonFigure[]> {
  const figures: DaemonFigure[] = [];
  await withDaemon(async (daemon) => {
    await withNetns(["host"], ({ host }) =>
      withDockerd(host.path, {}, async ({ socketPath }) => {
        const docker = ["docker", "-H", `unix://${socketPath}`] as const;
        figures.push(
          ...(await byTurns(rounds * 4, [
            ...weftCommands(daemon),
            { what: "docker version", argv: [...docker, "version"] },
            { what: "docker network ls", argv: [...docker, "network", "ls"] },
            { what: "node -e 0, which every weft command begins with", argv: [process.execPath, "-e", "0"] },
          ])),
        );
      }),
    );
  });
  return [...figures, await upTime(rounds)];
}

function weftCommands(daemon: TestDaemon): readonly TimedCommand[] {
  const weft = [process.execPath, weftProgram] as const;
  const env = { WEFT_SOCKET: daemon.socketPath };
  const remove = () => daemon.client.removeSandbox("timed", { force: true });
  return [
    { what: "weft version", argv: [...weft, "version"], env, aim: 120 },
    { what: "weft network ls", argv: [...weft, "network", "ls"], env, aim: 120 },
    { what: "weft ps", argv: [...weft, "ps"], env, aim: 120 },
    {
      what: "weft run -d",
      argv: [...weft, "run", "-d", "--name", "timed", ...idleCommand],
      env,
      after: remove,
    },
    {
      what: "weft run, of a command that ends at once",
      argv: [...weft, "run", "--name", "timed", "busybox", "true"],
      env,
      after: remove,
    },
  ];
}

/** The median of each, in ms; one round before the others is not counted. */
async function byTurns(rounds: number, commands: readonly TimedCommand[]): Promise<readonly DaemonFigure[]> {
  const all = commands.map((command) => ({ command, samples: [] as number[] }));
  for (let round = 0; round <= rounds; round++)
    for (const { command, samples } of all) {
      const took = timeOf(command);
      if (round > 0) samples.push(took);
      await command.after?.();
    }
  return all.map(({ command: { what, aim }, samples }) => ({
    what,
    unit: "ms",
    figure: quantile(samples, 0.5),
    ...(aim !== undefined && { aim }),
  }));
}

function timeOf({ what, argv: [program, ...args], env }: TimedCommand): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args, {
    env: { PATH: process.env.PATH, ...env },
    encoding: "utf8",
    cwd: "/",
  });
  const took = performance.now() - start;
  if (status !== 0) throw new Error(`${what}: ${stderr}`);
  return took;
}

/** `weft up` on a host that has had none, and what a daemon's start is of it. */
async function upTime(rounds: number): Promise<DaemonFigure> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++)
    await withDaemon(
      async ({ netns, folders }) => {
        const start = performance.now();
        netns.exec(process.execPath, weftProgram, "up", ...folders);
        samples.push(performance.now() - start);
      },
      { started: false },
    );
  return { what: "weft up", unit: "ms", figure: quantile(samples, 0.5) };
}
