import type { ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import type { Command } from "commander";
import { isWeftError } from "../../core/errors.ts";
import { type Context, socketIn } from "../context.ts";
import { type DaemonFolders, daemonDoor } from "../daemon-door.ts";
import { type Readiness, readReadiness, readyVariable } from "../daemon-process/readiness.ts";
import { endOf, spawnWeft, textOf } from "../daemon-process/spawn-weft.ts";
import { ExitError, lineOf } from "../failures.ts";
import { addFolderOptions, type FolderOptions, foldersOf } from "../options/daemon-options.ts";

/** Where the daemon's log is, below its run folder. */
const logName = "daemon.log";

interface UpOptions extends FolderOptions {
  readonly netns?: string;
  readonly config?: string;
}

/** `weft up`. */
export function upCommand(command: Command, context: Context): void {
  addFolderOptions(command)
    .option("--netns <path>", "the network namespace that is its host; this one without")
    .option("--config <file>", "its configuration, a JSON file")
    .addHelpText("after", examples)
    .action(async (options: UpOptions) => {
      const folders = foldersOf(options, context);
      await refuseSecond(socketIn(folders.run));
      const log = join(folders.run, logName);
      mkdirSync(folders.run, { recursive: true, mode: 0o755 });
      const args = ["daemon", "--root", folders.root, "--run", folders.run];
      if (options.config !== undefined)
        args.push("--config", resolve(context.surroundings.cwd(), options.config));
      const netns =
        options.netns === undefined ? undefined : resolve(context.surroundings.cwd(), options.netns);
      const told = await startDaemon(args, netns, log, folders);
      if ("error" in told) throw new ExitError(1, told.error);
    });
}

const examples = `
Examples:
  weft up
  weft up --root /srv/weft --config /etc/weft/weft.json
  weft up --netns /run/netns/lab --root /tmp/lab/root --run /tmp/lab/run`;

/** The daemon would refuse it too; this one says it of the socket that people know. */
async function refuseSecond(socketPath: string): Promise<void> {
  const { WeftClient } = await import("../../api/client/index.ts");
  try {
    const { Pid } = await new WeftClient({ socketPath }).info();
    throw new ExitError(1, `a daemon runs already at ${socketPath}, as process ${Pid}`);
  } catch (error) {
    if (!isWeftError(error, "DAEMON_UNREACHABLE")) throw error;
  }
}

/** Starts a daemon that outlives this program; resolves when it is ready, or with why it will not be. */
async function startDaemon(
  args: readonly string[],
  netns: string | undefined,
  log: string,
  folders: DaemonFolders,
): Promise<Readiness> {
  const output = openSync(log, "a", 0o640);
  let child: ChildProcess;
  try {
    child = await spawnWeft(args, netns, {
      detached: true,
      cwd: "/",
      stdio: ["ignore", output, output, "pipe"],
      env: { ...process.env, [readyVariable]: "3" },
    });
  } finally {
    closeSync(output);
  }
  const end = endOf(child);
  end.catch(() => {}); // told below; the pipe ends then, too
  // The fourth descriptor of stdio is a pipe, as was asked for.
  const told = readReadiness(await textOf(child.stdio[3] as Readable));
  if (told === undefined) {
    const status = await end;
    const damage = status > 128 ? await damageOf(folders) : undefined;
    return {
      error: damage ?? `the daemon ended with status ${status} before it was ready: ${lastLineOf(log)}`,
    };
  }
  child.unref();
  return told;
}

/** What is wrong with the store; undefined when it is whole. A daemon that reads a damaged one is ended by a signal. */
async function damageOf(folders: DaemonFolders): Promise<string | undefined> {
  try {
    await (await daemonDoor()).checkStore(folders);
    return undefined;
  } catch (error) {
    return lineOf(error);
  }
}

function lastLineOf(log: string): string {
  const line = readFileSync(log, "utf8").trimEnd().split("\n").at(-1) ?? "";
  return line === "" ? `its log ${log} is empty` : `${line} (in ${log})`;
}
