import { resolve } from "node:path";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { daemonDoor } from "../daemon-door.ts";
import { ReadinessReport, readyVariable } from "../daemon-process/readiness.ts";
import { endOf, spawnWeft } from "../daemon-process/spawn-weft.ts";
import { ExitError, lineOf, UsageError } from "../failures.ts";
import { addFolderOptions, type FolderOptions, foldersOf } from "../options/daemon-options.ts";

interface DaemonCommandOptions extends FolderOptions {
  readonly netns?: string;
  readonly config?: string;
  readonly checkConfig?: boolean;
}

/** `weft daemon`. */
export function daemonCommand(command: Command, context: Context): void {
  addFolderOptions(command)
    .option("--netns <path>", "the network namespace that is its host; this one without")
    .option("--config <file>", "its configuration, a JSON file")
    .option("--check-config", "say what is wrong with the configuration, and start nothing")
    .addHelpText("after", "\nIt ends at SIGTERM and SIGINT; the commands of its sandboxes go on.")
    .action((options: DaemonCommandOptions) => runAsAsked(options, context));
}

async function runAsAsked(options: DaemonCommandOptions, context: Context): Promise<void> {
  const folders = foldersOf(options, context);
  const { cwd, env } = context.surroundings;
  const config = options.config === undefined ? undefined : resolve(cwd(), options.config);
  if (options.checkConfig === true) {
    if (config === undefined) throw new UsageError("--check-config needs --config FILE");
    await (await daemonDoor()).checkConfig(config);
    return;
  }
  if (options.netns !== undefined) {
    const words = ["daemon", "--root", folders.root, "--run", folders.run];
    return bornElsewhere(
      config === undefined ? words : [...words, "--config", config],
      resolve(cwd(), options.netns),
    );
  }
  const report = new ReadinessReport(env[readyVariable]);
  try {
    const { runDaemon } = await daemonDoor();
    await runDaemon({ ...folders, config, onReady: () => report.tell({ pid: process.pid }) });
  } catch (error) {
    report.tell({ error: lineOf(error) });
    throw error;
  }
}

const passedOn = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const;

/**
 * A process cannot move all of its threads to another namespace, so the daemon is one that was born there. This one
 * stands for it: it passes on signals and its end.
 */
async function bornElsewhere(args: readonly string[], netns: string): Promise<void> {
  const child = await spawnWeft(args, netns, { stdio: "inherit" });
  for (const signal of passedOn) process.on(signal, () => child.kill(signal));
  const status = await endOf(child);
  if (status !== 0) throw new ExitError(status);
}
