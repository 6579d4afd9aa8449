import assert from "node:assert/strict";
import { type ChildProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { WeftClient } from "../../../src/api/client/index.ts";
import { type Ended, WeftProcess, weftProgram } from "../../cli/weft-program.ts";
import { type TestNetns, withNetns } from "../../netns-fixture.ts";
import { netnsSysctls } from "../netns-sysctls.ts";
import { lines, linksIn } from "../test-host.ts";
import { until } from "../until.ts";
import { deviceOf, type ProcessTrace, processTraces } from "./process-traces.ts";

/** A network namespace that plays a host, with weft's daemon on it as people start it. */
export interface TestDaemon {
  readonly netns: TestNetns;
  /** A neighbour; not joined to the host unless a test does so. */
  readonly outside: TestNetns;
  /** A folder for the test's own files, above the two below. */
  readonly folder: string;
  readonly root: string;
  readonly run: string;
  readonly socketPath: string;
  /** `--root` and `--run`, for the commands that take them. */
  readonly folders: readonly string[];
  /** Asks whichever daemon runs. */
  readonly client: WeftClient;
  /** The daemon's process. Throws when none was started. */
  readonly pid: number;
  /** Uses the command line; what it reads is empty. */
  weft(...args: readonly string[]): Promise<Ended>;
  /** Uses the command line, which has to succeed; gives what it printed, trimmed. */
  ok(...args: readonly string[]): Promise<string>;
  /** Uses the command line for as long as the test wants. */
  open(...args: readonly string[]): WeftProcess;
  /** Starts a daemon by `weft daemon`; resolves when it is ready. Throws what it says when it does not become so. */
  start(...options: readonly string[]): Promise<void>;
  /** Starts one and does not wait for it. */
  launch(...options: readonly string[]): ChildProcess;
  /** Ends the daemon by a signal, SIGKILL if none is named, and waits until it is gone. */
  kill(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Sends it a signal; resolves with how it ended, its status and the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<readonly unknown[]>;
  /** The processes of the daemon, of its sandboxes, and of whoever uses it. */
  processes(): readonly ProcessTrace[];
  /** What the daemons have logged. */
  log(): string;
}

/** How a test wants its daemon. */
export interface TestDaemonOptions {
  /** False for tests that start it themselves. */
  readonly started?: boolean;
  /** The root folder below the test's own; `root` if none is named. */
  readonly root?: string;
  /** Done first. */
  readonly prepare?: (daemon: TestDaemon) => void | Promise<void>;
}

/**
 * Runs `work` with a daemon of its own. Afterwards everything is removed by `weft down --purge`, and it fails when
 * a link, namespace, mount, process, descriptor, file, nftables table or changed sysctl is left.
 */
export async function withDaemon(
  work: (daemon: TestDaemon) => Promise<void>,
  { started = true, root = "root", prepare }: TestDaemonOptions = {},
): Promise<void> {
  await withNetns(["host", "outside"], async ({ host, outside }) => {
    for (const one of [host, outside]) one.exec("ip", "link", "set", "lo", "up");
    const daemon = new Daemon(host, outside, root);
    try {
      await prepare?.(daemon);
      const before = daemon.traces();
      if (started) await daemon.start();
      await work(daemon);
      await daemon.purge();
      await daemon.assertGone(before);
    } catch (error) {
      console.error(daemon.lastWords());
      throw error;
    } finally {
      daemon.discard();
    }
  });
}

class Daemon implements TestDaemon {
  readonly netns: TestNetns;
  readonly outside: TestNetns;
  readonly folder = mkdtempSync(join(realpathSync(tmpdir()), "weft-daemon-"));
  readonly root: string;
  readonly run = join(this.folder, "run");
  readonly socketPath = join(this.run, "weft.sock");
  readonly folders: readonly string[];
  readonly client = new WeftClient({ socketPath: this.socketPath });
  readonly #log = join(this.folder, "daemon.log");
  readonly #devices = new Set<string>();
  #child: ChildProcess | undefined;

  constructor(netns: TestNetns, outside: TestNetns, root: string) {
    this.netns = netns;
    this.outside = outside;
    this.root = join(this.folder, root);
    this.folders = ["--root", this.root, "--run", this.run];
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error("no daemon was started");
    return this.#child.pid;
  }

  weft(...args: readonly string[]): Promise<Ended> {
    return this.open(...args).end();
  }

  open(...args: readonly string[]): WeftProcess {
    return new WeftProcess(this.socketPath, args, { cwd: "/" });
  }

  async ok(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.weft(...args);
    assert.equal(status, 0, `weft ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  async start(...options: readonly string[]): Promise<void> {
    // The fourth of launch's streams is a pipe.
    const told: unknown = JSON.parse(await text(this.launch(...options).stdio[3] as Readable));
    if (typeof told === "object" && told !== null && "pid" in told) return;
    throw new Error(`the daemon did not start: ${JSON.stringify(told)}`);
  }

  launch(...options: readonly string[]): ChildProcess {
    const log = openSync(this.#log, "a");
    try {
      const args = [weftProgram, "daemon", ...this.folders, ...options];
      const child = this.netns.start(process.execPath, args, {
        cwd: "/",
        env: { PATH: process.env.PATH, WEFT_READY_FD: "3" },
        stdio: ["ignore", log, log, "pipe"],
      });
      this.#child = child;
      return child;
    } finally {
      closeSync(log);
    }
  }

  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
    child.stdio[3]?.destroy();
  }

  async end(signal: NodeJS.Signals): Promise<readonly unknown[]> {
    const child = this.#child;
    if (child === undefined) throw new Error("no daemon was started");
    const exited = once(child, "exit");
    child.kill(signal);
    const how = await exited;
    child.stdio[3]?.destroy();
    return how;
  }

  processes(): readonly ProcessTrace[] {
    const run = join(this.root, "run"); // a mount of its own, once there is a daemon
    if (existsSync(run) && deviceOf(run) !== deviceOf(this.folder)) this.#devices.add(deviceOf(run));
    return processTraces({ folder: this.folder, devices: this.#devices });
  }

  log(): string {
    return existsSync(this.#log) ? readFileSync(this.#log, "utf8") : "";
  }

  /** What weft may change and has to put right. */
  traces() {
    const { netns } = this;
    return {
      links: linksIn(netns),
      addresses: netns.exec("ip", "-oneline", "address"),
      routes: netns.exec("ip", "route", "show", "table", "all"),
      rules: netns.exec("ip", "rule"),
      tables: netns.exec("nft", "list", "ruleset"),
      sysctls: netnsSysctls(netns),
      mounts: lines(readFileSync("/proc/self/mountinfo", "utf8")).filter((one) => one.includes(this.folder)),
      folders: [this.root, this.run].filter((folder) => existsSync(folder)),
      processes: this.processes().map(({ what }) => what),
    };
  }

  /** As the user does it, with a daemon or without. */
  async purge(): Promise<void> {
    this.processes(); // while their files are there to tell them by
    const netns = ["--netns", this.netns.path];
    await this.ok("down", "--purge", ...this.folders, ...netns);
    await this.kill(); // its end was waited for by `weft down`; this waits until Node has heard of it
  }

  async assertGone(before: ReturnType<Daemon["traces"]>): Promise<void> {
    // Processes that were killed may still be dying.
    await until("no process is left", () => this.processes().length === 0).catch(() => {});
    assert.deepEqual(this.traces(), before);
  }

  /** The end of the log, for whoever reads of a failure. */
  lastWords(): string {
    return `The daemon's log ended:\n${this.log().split("\n").slice(-8).join("\n")}`;
  }

  /** Where something is mounted below the folder, what lies deepest first. */
  #mounts(): readonly string[] {
    return lines(readFileSync("/proc/self/mountinfo", "utf8"))
      .map((line) => line.split(" ")[4] ?? "")
      .filter((point) => point.startsWith(this.folder))
      .reverse();
  }

  /** Removes what a failed test leaves. */
  discard(): void {
    this.#child?.kill("SIGKILL");
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
    // With those below them, which the daemon may be taking down itself.
    for (const point of [join(this.root, "run"), ...this.#mounts()])
      spawnSync("umount", ["-l", point], { stdio: "ignore" });
    rmSync(this.folder, { recursive: true, force: true });
  }
}
