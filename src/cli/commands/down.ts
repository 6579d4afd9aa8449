import { closeSync, openSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { isWeftError } from "../../core/errors.ts";
import { type Context, defaultRun, socketIn } from "../context.ts";
import { type DaemonFolders, daemonDoor } from "../daemon-door.ts";
import { ends } from "../daemon-process/process-end.ts";
import { endOf, spawnWeft } from "../daemon-process/spawn-weft.ts";
import { ExitError } from "../failures.ts";
import { addFolderOptions, type FolderOptions, foldersOf, socketOf } from "../options/daemon-options.ts";

/** How long a daemon may take to end, in ms. */
const patienceMs = 30_000;

interface DownOptions extends FolderOptions {
  readonly purge?: boolean;
  readonly netns?: string;
}

/** `weft down`. */
export function downCommand(command: Command, context: Context): void {
  addFolderOptions(command)
    .option("--purge", "remove every sandbox and network, and all that weft has made on this host")
    .option("--netns <path>", "with --purge and no daemon running: the network namespace that was its host")
    .addHelpText(
      "after",
      "\nWithout --purge commands go on, and so do their networks; `weft up` finds them again.",
    )
    .action((options: DownOptions) => down(options, context));
}

async function down(options: DownOptions, context: Context): Promise<void> {
  context.socketPath = socketOf(options, context);
  const daemon = await runningDaemon(context);
  if (options.purge !== true) {
    if (daemon === undefined) throw new ExitError(1, `no daemon runs at ${context.socketPath}`);
    await end(daemon.pid);
    return;
  }
  const folders = daemon?.folders ?? foldersOf(options, context);
  if (daemon === undefined) refuseAnothersFolders(options, context);
  else (await daemonDoor()).refuseOthersFiles(folders); // before it is ended
  // Held open, for the number of a process that has ended leads nowhere.
  const netns = daemon === undefined ? undefined : openSync(`/proc/${daemon.pid}/ns/net`, "r");
  try {
    if (daemon !== undefined) await end(daemon.pid);
    const path = netns === undefined ? options.netns : `/proc/self/fd/${netns}`;
    await purge(folders, path === undefined ? undefined : resolve(context.surroundings.cwd(), path));
  } finally {
    if (netns !== undefined) closeSync(netns);
  }
}

/** Without a daemon that tells its folders, what is removed has to be meant: both folders named, or none and no socket elsewhere. */
function refuseAnothersFolders({ root, run }: DownOptions, context: Context): void {
  const bothNamed = root !== undefined && run !== undefined;
  const allUsual = root === undefined && run === undefined && context.socketPath === socketIn(defaultRun);
  if (bothNamed || allUsual) return;
  throw new ExitError(
    1,
    `no daemon runs at ${context.socketPath}: name the folders to remove what it left, by --root and --run`,
  );
}

interface RunningDaemon {
  readonly pid: number;
  readonly folders: DaemonFolders;
}

async function runningDaemon(context: Context): Promise<RunningDaemon | undefined> {
  try {
    const { Pid, RootDir, RunDir } = await (await context.client()).info();
    return { pid: Pid, folders: { root: RootDir, run: RunDir } };
  } catch (error) {
    if (isWeftError(error, "DAEMON_UNREACHABLE")) return undefined;
    throw error;
  }
}

async function end(pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  if (await ends(pid, patienceMs)) return;
  throw new ExitError(
    1,
    `the daemon, process ${pid}, was told to end and still runs after ${patienceMs / 1000} s`,
  );
}

/** In a process of its own, which is born in the daemon's namespace. */
async function purge({ root, run }: DaemonFolders, netns: string | undefined): Promise<void> {
  const child = await spawnWeft(["__purge", root, run], netns, { stdio: "inherit" });
  const status = await endOf(child);
  if (status !== 0) throw new ExitError(status);
}

/** `weft __purge ROOT RUN`: the second half of `weft down --purge`. No help lists it. */
export function purgeCommand(command: Command): void {
  command
    .argument("<root>")
    .argument("<run>")
    .action(async (root: string, run: string) => {
      await (await daemonDoor()).purgeHost({ root, run });
    });
}
