import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  fstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { NETLINK_ROUTE, NetlinkSocket } from "../src/kernel/netlink/socket.ts";
import {
  createNetns,
  inNetns,
  inNetnsAt,
  mountPrivateFolder,
  openNetns,
  removeNetns,
  unmountPrivateFolder,
} from "../src/kernel/netns.ts";
import * as sys from "../src/kernel/syscalls.ts";

/** How long what a test leaves may take to go away by itself: sockets that close on a later turn, dying processes. */
const graceMs = 1500;

/** A network namespace that a test has for itself. */
export interface TestNetns {
  readonly name: string;
  /** Its bind mount; `nsenter --net=PATH` and weft's own functions take it. */
  readonly path: string;
  /** Open for as long as the test runs. */
  readonly fd: number;
  /** Runs synchronous work with this thread inside the namespace. */
  run<T>(work: () => T): T;
  /** A netlink socket of `family` in it, rtnetlink's if none is named; closed when the test ends. */
  netlink(family?: number): NetlinkSocket;
  /** Runs a program in it and gives what it printed. Throws with its standard error when it fails. */
  exec(command: string, ...args: readonly string[]): string;
  /** Starts a program in it; killed when the test ends, if it still runs. */
  start(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
}

/** `N` namespaces, so that `([host, peer]) =>` needs no checks for undefined. */
type NetnsTuple<N extends number, Found extends readonly TestNetns[] = []> = Found["length"] extends N
  ? Found
  : NetnsTuple<N, readonly [...Found, TestNetns]>;

/**
 * Makes namespaces, runs `work` with them and removes them, also when it throws. Fails when `work`
 * leaves a process in one of them, a socket or namespace fd, a mount, or a file. By number or by name:
 *
 *     await withNetns(2, async ([host, sandbox]) => host.exec("ip", "link"));
 *     await withNetns(["host", "sandbox"], async ({ host, sandbox }) => host.exec("ip", "link"));
 */
export async function withNetns<const N extends 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8, T>(
  count: N,
  work: (namespaces: NetnsTuple<N>) => T | Promise<T>,
): Promise<T>;
export async function withNetns<const Names extends readonly string[], T>(
  names: Names,
  work: (namespaces: Readonly<Record<Names[number], TestNetns>>) => T | Promise<T>,
): Promise<T>;
export async function withNetns<T>(
  wanted: number | readonly string[],
  // The overloads above say what `work` really takes: a tuple of `wanted` or a record of its names.
  work: (namespaces: never) => T | Promise<T>,
): Promise<T> {
  const names = typeof wanted === "number" ? Array.from({ length: wanted }, (_, i) => `ns${i}`) : wanted;
  const group = new NetnsGroup(names);
  const list = group.members;
  const given = typeof wanted === "number" ? list : Object.fromEntries(list.map((one) => [one.name, one]));
  let result: T;
  try {
    result = await work(given as never); // see the overloads
  } catch (error) {
    await group.end().catch(() => {}); // what failed first is what the reader needs to see
    throw error;
  }
  await group.end();
  return result;
}

let started = 0;
const active = new Set<NetnsGroup>();
/** Descriptors that were open before the first of the groups that run now. */
let fdsBefore: ReadonlyMap<string, string> = new Map();

/** The namespaces of one test, below one private mount, with what has to end before they do. */
class NetnsGroup {
  readonly members: readonly TestNetns[];
  readonly #folder: string;
  readonly #children = new Set<ChildProcess>();
  readonly #sockets: NetlinkSocket[] = [];
  #removed = false;

  constructor(names: readonly string[]) {
    if (started === 0) {
      removeLeftovers();
      inNetnsAt("/proc/thread-self/ns/net", () => {}); // what the thread keeps from its first way out on
    }
    if (active.size === 0) fdsBefore = openFds();
    this.#folder = path.join(realpathSync(os.tmpdir()), `${folderPrefix}${process.pid}-${started++}`);
    mountPrivateFolder(this.#folder);
    const members: TestNetns[] = [];
    this.members = members;
    active.add(this);
    try {
      for (const name of names) members.push(this.#create(name));
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  #create(name: string): TestNetns {
    const file = path.join(this.#folder, name);
    createNetns(file);
    const fd = openNetns(file);
    return {
      name,
      path: file,
      fd,
      run: (work) => inNetns(fd, work),
      netlink: (family = NETLINK_ROUTE) => {
        const socket = inNetns(fd, () => NetlinkSocket.open(family));
        this.#sockets.push(socket);
        return socket;
      },
      exec: (command, ...args) => inNetns(fd, () => execute(command, args)),
      start: (command, args, options = {}) => {
        const child = inNetns(fd, () => spawn(command, args, options));
        this.#children.add(child);
        child.once("exit", () => this.#children.delete(child));
        child.once("error", () => this.#children.delete(child));
        return child;
      },
    };
  }

  /** Takes all of it down and throws when the test left something that is not ours to close. */
  async end(): Promise<void> {
    const left: string[] = [];
    try {
      await Promise.all([...this.#children].map(killed));
      for (const socket of this.#sockets) socket.close();
      // The namespaces stay open meanwhile, or their inode numbers could become another's.
      left.push(...(await gone(() => processesIn(this.members))));
    } finally {
      this.remove();
    }
    if (existsSync(this.#folder)) left.push(`folder ${this.#folder}`);
    left.push(...mountsBelow(this.#folder));
    // Tests that run side by side in one process cannot be told apart: the last one is asked.
    if (active.size === 0) left.push(...(await gone(fdsSince)));
    if (left.length > 0) throw new Error(`the test left behind: ${left.join(", ")}`);
  }

  /** Gives up the namespaces and the folder. Synchronous, so that it can run while the process exits. */
  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    active.delete(this);
    for (const { fd, path: file } of this.members) {
      sys.close(fd);
      removeNetns(file);
    }
    unmountPrivateFolder(this.#folder);
  }
}

process.once("exit", () => {
  for (const group of [...active]) group.remove();
});

const folderPrefix = "weft-test-";

/** Removes the folders of test processes that were killed before they could. */
function removeLeftovers(): void {
  const parent = realpathSync(os.tmpdir());
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(folderPrefix) ? Number.parseInt(name.slice(folderPrefix.length), 10) : 0;
    if (!(pid > 0) || existsSync(`/proc/${pid}`)) continue;
    try {
      unmountPrivateFolder(path.join(parent, name));
    } catch {
      // Another test process that started just now was faster.
    }
  }
}

function execute(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { encoding: "utf8" });
  if (result.error !== undefined) throw result.error;
  if (result.status === 0) return result.stdout;
  throw new Error(
    `${[command, ...args].join(" ")}: ${result.signal ?? result.status}: ${result.stderr.trim()}`,
  );
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Asks `find` until it finds nothing; gives what it still finds when the grace is over. */
async function gone(find: () => string[]): Promise<string[]> {
  const deadline = Date.now() + graceMs;
  for (;;) {
    const found = find();
    if (found.length === 0 || Date.now() > deadline) return found;
    await delay(5);
  }
}

function processesIn(namespaces: readonly TestNetns[]): string[] {
  const identities = new Map(namespaces.map((one) => [`net:[${fstatSync(one.fd).ino}]`, one.name]));
  const found: string[] = [];
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const name = identities.get(linkTarget(`/proc/${pid}/ns/net`));
    if (name !== undefined) found.push(`process ${pid} (${commandOf(pid)}) in ${name}`);
  }
  return found;
}

function mountsBelow(folder: string): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const points = lines.map((line) => line.split(" ")[4] ?? "");
  return points
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .map((p) => `mount ${p}`);
}

/** Descriptors that tests open and Node does not by itself: sockets, namespaces, files of ours. */
function openFds(): Map<string, string> {
  const namespaceDevice = statSync("/proc/self/ns/net").dev;
  const fds = new Map<string, string>();
  for (const fd of readdirSync("/proc/self/fd")) {
    const file = fileOf(Number(fd));
    const target = linkTarget(`/proc/self/fd/${fd}`);
    // A namespace that was opened by its bind mount is called "/" once that is gone.
    if (file?.dev === namespaceDevice) fds.set(fd, `namespace ${file.ino}`);
    else if (target.startsWith("socket:") || target.includes(folderPrefix)) fds.set(fd, target);
  }
  return fds;
}

function fdsSince(): string[] {
  return [...openFds()]
    .filter(([fd, target]) => fdsBefore.get(fd) !== target)
    .map(([fd, target]) => `fd ${fd} (${target})`);
}

function fileOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd);
  } catch {
    return undefined; // the one that read the folder
  }
}

function linkTarget(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return ""; // gone meanwhile
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "gone";
  }
}
