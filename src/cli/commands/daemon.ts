import { resolve } from "node:path";
import type { Readable } from "node:stream";
import type { Command } from "commander";
import { type Context, socketIn } from "../context.ts";
import { daemonDoor } from "../daemon-door.ts";
import { ReadinessReport, readReadiness, readyVariable } from "../daemon-process/readiness.ts";
import { ServiceManager } from "../daemon-process/service-manager.ts";
import { endOf, spawnWeft, textOf } from "../daemon-process/spawn-weft.ts";
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
    .addHelpText(
      "after",
      "\nIt ends at SIGTERM, SIGINT and SIGHUP, at a second one at once; the commands of its sandboxes go on.",
    )
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
  const report = new ReadinessReport(env[readyVariable]);
  // The process's own: what it starts inherits that.
  const manager = await ServiceManager.of(process.env, (message) => void context.complain(message));
  try {
    if (options.netns !== undefined) {
      const words = ["daemon", "--root", folders.root, "--run", folders.run];
      if (config !== undefined) words.push("--config", config);
      return await bornElsewhere(words, resolve(cwd(), options.netns), report, manager);
    }
    manager.status("Bringing the host to what the records say");
    const { runDaemon } = await daemonDoor();
    await runDaemon({
      ...folders,
      config,
      onReady: () => {
        report.tell({ pid: process.pid });
        manager.ready(serving(socketIn(folders.run)));
      },
      onEnding: () => manager.stopping(ending),
    });
  } catch (error) {
    report.tell({ error: lineOf(error) });
    if (lineOf(error) !== "") manager.status(lineOf(error));
    throw error;
  }
}

const serving = (socket: string) => `Serving ${socket}`;
const ending = "Ending; commands and networks go on";

const passedOn = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const;

/**
 * A process cannot move all of its threads to another namespace, so the daemon is one that was born there. This one
 * stands for it: it passes on signals, its readiness and its end.
 */
async function bornElsewhere(
  args: readonly string[],
  netns: string,
  report: ReadinessReport,
  manager: ServiceManager,
): Promise<void> {
  const child = await spawnWeft(args, netns, {
    // What a terminal sends to all that run on it comes once, by this program.
    detached: true,
    stdio: ["inherit", "inherit", "inherit", "pipe"],
    env: { ...process.env, [readyVariable]: "3" },
  });
  for (const signal of passedOn) {
    process.on(signal, () => {
      manager.stopping(ending);
      child.kill(signal);
    });
  }
  const ended = endOf(child);
  ended.catch(() => {}); // told below
  // The fourth descriptor of stdio is a pipe, as was asked for.
  const told = readReadiness(await textOf(child.stdio[3] as Readable));
  if (told !== undefined) report.tell(told);
  if (told !== undefined && "pid" in told) manager.ready(`Process ${told.pid} serves ${netns}`);
  const status = await ended;
  if (status === 0) return;
  // It has said itself why.
  throw new ExitError(
    status,
    told !== undefined && "error" in told ? "" : `the daemon ended with status ${status}`,
  );
}
