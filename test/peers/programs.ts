import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, readFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { inNetnsAt } from "../../src/kernel/netns.ts";
import { repositoryFolder } from "../fixture-file.ts";

/** Where Debian keeps programs that are not for everybody's PATH. */
const moreFolders = ["/usr/sbin", "/sbin", "/usr/lib/podman"];

/** PATH with those folders: programs that start programs themselves get it. */
export const programFolders = [...(process.env.PATH ?? "").split(path.delimiter), ...moreFolders].join(
  path.delimiter,
);

/** The file of a program, by its name or path. Throws with the Debian package that has it when it is not there. */
export function findProgram(name: string): string {
  if (path.isAbsolute(name)) return name;
  const found = programFolders
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder))
    .map((folder) => path.join(folder, name))
    .find(isProgram);
  if (found !== undefined) return found;
  const debian = debianPackage(name);
  throw new Error(
    `${name} is not installed${debian === undefined ? "" : `: apt-get install --no-install-recommends ${debian}`}`,
  );
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Tests and benches name what they need in one table, which scripts/install-test-tools.mjs installs. */
function debianPackage(program: string): string | undefined {
  const sets = JSON.parse(
    readFileSync(path.join(repositoryFolder(), "test/debian-packages.json"), "utf8"),
  ) as Record<string, Record<string, string>>; // a file of ours, read by two programs
  return Object.values(sets).find((set) => program in set)?.[program];
}

/** Where programs run that have nothing to do with networks. */
export const ownNetns = "/proc/self/ns/net";

/** How a program is run. */
export interface RunOptions {
  /** How long it may take, ms; it is killed then. 30 seconds if not said. */
  readonly limitMs?: number;
  /** What it reads. Nothing if not said. */
  readonly input?: string;
}

/**
 * Runs a program in the network namespace at `netns` (a bind mount, `/proc/PID/ns/net`) and gives what it
 * printed. Other work goes on meanwhile. Throws with what it complained of when it fails or takes too long.
 */
export async function runProgram(
  netns: string,
  name: string,
  args: readonly string[],
  { limitMs = 30_000, input = "" }: RunOptions = {},
): Promise<string> {
  const child = spawnIn(netns, name, args, {
    stdio: ["pipe", "pipe", "pipe"],
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("no pipes to a program");
  stdin.on("error", () => {}); // a program that ends before it has read all says why itself
  stdin.end(input);
  const [printed, complaint, [code, signal]] = await Promise.all([
    text(stdout),
    text(stderr),
    once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>, // what "close" tells
  ]);
  if (code === 0) return printed;
  const how = signal === "SIGKILL" ? `killed, perhaps after ${limitMs} ms` : String(signal ?? code);
  throw new Error(`${[name, ...args].join(" ")}: ${how}: ${(complaint + printed).trim()}`);
}

/** Starts a program in the network namespace at `netns`. Throws at once when it is not installed. */
export function spawnIn(
  netns: string,
  name: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const file = findProgram(name);
  const env = { ...process.env, ...options.env, PATH: programFolders };
  return inNetnsAt(netns, () => spawn(file, args, { ...options, env }));
}

/** A server that runs beside a test. */
export interface RunningProgram {
  readonly pid: number;
  /** Kills it and waits for its end. */
  stop(): Promise<void>;
}

/**
 * Starts a server in a namespace and waits until it prints `ready`. Throws with all that it printed when it
 * ends before that, or after `limitMs`.
 */
export async function startServer(
  netns: string,
  name: string,
  args: readonly string[],
  ready: string,
  limitMs = 10_000,
): Promise<RunningProgram> {
  const child = spawnIn(netns, name, args, { stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close");
  const stop = async () => {
    child.kill("SIGKILL");
    await closed;
  };
  try {
    await printed(child, ready, limitMs);
  } catch (error) {
    await stop().catch(() => {}); // a program that did not even start
    throw new Error(`${[name, ...args].join(" ")}: ${error instanceof Error ? error.message : error}`);
  }
  return { pid: child.pid ?? 0, stop };
}

/** How much of what a server prints is kept to be shown, in characters. */
const keptLength = 4000;

/** Resolves when the program has printed `words`; goes on reading so that it never waits for us. */
export function printed(child: ChildProcess, words: string, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = "";
    const fail = (what: string) => {
      clearTimeout(limit);
      reject(new Error(`${what} before it said "${words}": ${seen.trim()}`));
    };
    const limit = setTimeout(() => fail(`${limitMs} ms passed`), limitMs);
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        seen = (seen + chunk).slice(-keptLength);
        if (!seen.includes(words)) return;
        clearTimeout(limit);
        resolve();
      });
    child.once("error", (error) => fail(error.message));
    child.once("close", (code, signal) => fail(`it ended (${signal ?? code})`));
  });
}
