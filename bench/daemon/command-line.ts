import { spawnSync } from "node:child_process";
import { weftProgram } from "../../test/cli/weft-program.ts";
import { withDaemon } from "../../test/e2e/daemon/test-daemon.ts";
import { withNetns } from "../../test/netns-fixture.ts";
import { withDockerd } from "../../test/peers/dockerd.ts";
import { timed } from "../measure.ts";
import type { DaemonFigure } from "./figures.ts";

/** What short commands take as people see it, beside Docker's. */
export async function commandLine(rounds: number): Promise<readonly DaemonFigure[]> {
  return [...(await ofWeft(rounds)), ...(await ofDocker(rounds))];
}

async function ofWeft(rounds: number): Promise<readonly DaemonFigure[]> {
  const figures: DaemonFigure[] = [];
  await withDaemon(async ({ socketPath }) => {
    for (const args of [["version"], ["network", "ls"], ["ps"]]) {
      const env = { PATH: process.env.PATH, WEFT_SOCKET: socketPath };
      const figure = await medianOf(rounds, process.execPath, [weftProgram, ...args], env);
      figures.push({ what: `weft ${args.join(" ")}`, unit: "ms", figure, aim: 120 });
    }
    const bare = await medianOf(rounds, process.execPath, ["-e", "0"], {});
    figures.push({ what: "node -e 0, which all of them begin with", unit: "ms", figure: bare });
  });
  return figures;
}

async function ofDocker(rounds: number): Promise<readonly DaemonFigure[]> {
  return withNetns(["host"], ({ host }) =>
    withDockerd(host.path, {}, async ({ socketPath }) => {
      const args = ["-H", `unix://${socketPath}`, "network", "ls"];
      const figure = await medianOf(rounds, "docker", args, { PATH: process.env.PATH });
      return [{ what: "docker network ls", unit: "ms", figure }];
    }),
  );
}

async function medianOf(
  rounds: number,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const once = () => {
    const { status, stderr } = spawnSync(program, args, { env, encoding: "utf8" });
    if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
  };
  return (await timed(rounds * 4, once, 2)).medianMs;
}
