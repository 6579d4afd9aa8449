import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  createNetns,
  inNetnsAt,
  mountPrivateFolder,
  removeNetns,
  unmountPrivateFolder,
} from "../../src/kernel/netns.ts";
import { type CommandInit, type ExitStatus, Launcher, type SandboxProcess } from "../../src/runtime/index.ts";

/** What the names of this process's folders begin with; other test processes have their own. */
const folderPrefix = `weft-runtime-${process.pid}-`;

/** What a test of src/runtime works with; all of it is removed, and its removal checked, after the test. */
export interface SandboxFixture {
  readonly launcher: Launcher;
  /** A network namespace with `lo` and a bridge called `weft0`. */
  readonly netnsPath: string;
  /** A folder for the test's files. */
  readonly folder: string;
  /** Starts a command in the namespace; one that still runs at the end is killed. */
  run(init: Omit<CommandInit, "netnsPath" | "files"> & Partial<CommandInit>): Promise<SandboxProcess>;
  /** Runs a command to its end and gives what it printed. */
  output(command: readonly string[], init?: Partial<CommandInit>): Promise<CommandOutput>;
}

/** What a command printed, and how it ended. */
export interface CommandOutput extends ExitStatus {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `test` with a sandbox of its own, and fails if anything is left of it: process, mount, descriptor. */
export async function withSandbox(
  test: (fixture: SandboxFixture) => Promise<void>,
  options: { readonly spare?: number } = {},
): Promise<void> {
  inNetnsAt("/proc/thread-self/ns/net", () => {}); // what the thread keeps from its first way out on
  const before = traces();
  const folder = mkdtempSync(join(tmpdir(), folderPrefix));
  const netnsFolder = join(folder, "netns");
  const netnsPath = join(netnsFolder, "box");
  const launcher = new Launcher(options);
  const running: SandboxProcess[] = [];
  try {
    mountPrivateFolder(netnsFolder);
    createNetns(netnsPath);
    addBridge(netnsPath);
    await launcher.start();
    const run: SandboxFixture["run"] = async (init) => {
      const process = await launcher.run({ netnsPath, files: [], ...init });
      running.push(process);
      return process;
    };
    await test({ launcher, netnsPath, folder, run, output: (command, init) => output(run, command, init) });
  } finally {
    for (const process of running) process.kill("SIGKILL");
    await Promise.all(running.map(({ exited }) => exited));
    for (const { stdin, stdout, stderr } of running) await closed([stdin, stdout, stderr]);
    await launcher.close();
    removeNetns(netnsPath);
    unmountPrivateFolder(netnsFolder);
    rmSync(folder, { recursive: true, force: true });
  }
  assert.deepEqual(traces(), before);
}

async function output(
  run: SandboxFixture["run"],
  command: readonly string[],
  init: Partial<CommandInit> = {},
): Promise<CommandOutput> {
  const process = await run({ stdio: { stdout: "pipe", stderr: "pipe" }, ...init, command });
  assert.ok(process.stdout && process.stderr);
  const [stdout, stderr, status] = await Promise.all([
    text(process.stdout),
    text(process.stderr),
    process.exited,
  ]);
  return { stdout, stderr, ...status };
}

function addBridge(netnsPath: string): void {
  const args = [`--net=${netnsPath}`, "ip", "link", "add", "weft0", "type", "bridge"];
  const { status, stderr } = spawnSync("nsenter", args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}

/** Destroys streams and waits until their descriptors are closed. */
async function closed(
  streams: readonly (SandboxProcess["stdin"] | SandboxProcess["stdout"])[],
): Promise<void> {
  for (const stream of streams) {
    if (stream === undefined || stream.closed) continue;
    const close = new Promise((resolve) => stream.once("close", resolve));
    stream.destroy();
    await close;
  }
}

/** What a launcher could leave on the machine or in this process. */
function traces() {
  return { mounts: hostMounts(), children: children(), descriptors: descriptors(), namespaces: namespaces() };
}

/** Mounts where a launcher mounts, and those of this process's tests; others run at the same time. */
function hostMounts(): string[] {
  const own = new RegExp(`^/(proc|sys|etc)(/|$)|${folderPrefix}`);
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => own.test(line.split(" ")[4] ?? ""));
}

/** Children of this process, zombies too. */
function children(): string[] {
  return readdirSync("/proc/self/task").flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, "utf8")
      .split(" ")
      .filter((pid) => pid !== ""),
  );
}

/** Open descriptors by what they lead to, without numbers, and without Node's own anonymous ones. */
function descriptors(): string[] {
  return readdirSync("/proc/self/fd")
    .flatMap((fd) => linkOf(`/proc/self/fd/${fd}`))
    .filter((target) => !target.startsWith("anon_inode:") && !target.startsWith("/proc/"))
    .sort();
}

/** The namespaces of every thread that was there from the start; all should be this process's own. */
export function namespaces(): string[] {
  const ofThreads = readdirSync("/proc/self/task").flatMap((task) =>
    ["mnt", "net", "uts", "pid", "pid_for_children"].flatMap((kind) =>
      linkOf(`/proc/self/task/${task}/ns/${kind}`),
    ),
  );
  return [...new Set(ofThreads)].sort();
}

/** Empty when it has gone meanwhile. */
function linkOf(path: string): string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}
