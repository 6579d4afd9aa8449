import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { isAbsolute } from "node:path";
import { serveHttp } from "../api/index.ts";
import { Controller } from "../cnm/index.ts";
import { runAll, systemClock, systemRandom, WeftError } from "../core/index.ts";
import { LinuxFacts } from "../facts/index.ts";
import { CommandFollower, Launcher, LogKeeper } from "../runtime/index.ts";
import { type DaemonConfig, defaultConfig, readConfig } from "./config.ts";
import { controllerOptions, predefinedNetworks } from "./controller-config.ts";
import { EventLog, newRun } from "./event-log.ts";
import { commandsFolder, type Folders, refuseOthersFiles, socketPath } from "./folders.ts";
import { Host } from "./host.ts";
import { LaterMetrics } from "./later-metrics.ts";
import { type DaemonLog, openLog } from "./log.ts";
import { measuredService } from "./measured-service.ts";
import { sandboxEvent, tellModelEvent } from "./model-events.ts";
import { HostNetworks } from "./networks/host-networks.ts";
import { RecordTable } from "./own-records.ts";
import { figuresOf } from "./part-figures.ts";
import { planRequest } from "./planner.ts";
import { LaunchedRunner } from "./sandboxes/launched-runner.ts";
import { SandboxBook } from "./sandboxes/sandbox-book.ts";
import { SandboxKeeper } from "./sandboxes/sandbox-keeper.ts";
import type { SandboxRecord } from "./sandboxes/sandbox-record.ts";
import { statusOf } from "./sandboxes/sandbox-view.ts";
import { noteStart } from "./unfinished-start.ts";
import { weftVersion } from "./weft-version.ts";

/** How a daemon is to run; its host is the network namespace that the process was born in. */
export interface DaemonOptions extends Folders {
  /** The configuration file; the defaults without. */
  readonly config?: string | undefined;
  /** Called once, when the socket answers and all that was stored is there again. */
  readonly onReady?: () => void;
  /** Called once, when it was told to end, before anything is closed. */
  readonly onEnding?: () => void;
}

/** A host with everything that its records say, whether it is served or not. */
interface OpenHost {
  readonly host: Host;
  readonly controller: Controller;
  readonly keeper: SandboxKeeper;
  readonly metrics: LaterMetrics;
  readonly log: DaemonLog;
  readonly config: DaemonConfig;
  /** Gives everything back; commands and networks go on. */
  close(): Promise<void>;
}

/** Parts of a daemon, closed in the reverse of the order in which they were opened. */
type Undo = (() => unknown)[];

/** How long a daemon that is told to end finishes what it was asked for, ms. */
const patienceMs = 10_000;

/** Signals that tell a daemon to end; SIGHUP comes when its terminal has gone. */
const endingSignals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** Resolves with the first signal that tells this process to end. A second one ends it at once, as it would any program. */
function toldToEnd(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const hear = (signal: NodeJS.Signals) => {
      for (const one of endingSignals) process.off(one, hear);
      resolve(signal);
    };
    for (const one of endingSignals) process.on(one, hear);
  });
}

/**
 * Runs the daemon of this host until SIGTERM, SIGINT or SIGHUP: brings the host to what the records say, finds the
 * commands that run, and serves. Throws INVALID_CONFIG, CONTROLLER_RUNNING, and what else keeps it from
 * starting; then it holds nothing.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const ended = toldToEnd();
  const open = await openHost(options);
  const { host, keeper, metrics, log, config } = open;
  try {
    const metricsPort = config["metrics-addr"]?.split(":").at(-1);
    const server = await serveHttp(
      measuredService(host, (...operation) => metrics.observe(...operation)),
      {
        listen: { socketPath: socketPath(options.run) },
        group: config.group,
        log,
        ...(metricsPort === undefined ? {} : { metricsPort: Number(metricsPort) }),
      },
    );
    log.info({ component: "daemon", root: options.root, run: options.run, version: weftVersion }, "ready");
    options.onReady?.();
    metrics.load().catch((error: unknown) => log.error({ component: "metrics", err: error }, "not loaded"));
    const signal = await ended;
    options.onEnding?.();
    log.info({ component: "daemon", signal }, "ending");
    await server.close(patienceMs, () => keeper.giveUp());
  } finally {
    await open.close();
  }
}

/**
 * Removes every sandbox and network, what weft changed on this host, and both folders. Throws
 * CONTROLLER_RUNNING while a daemon runs, FOLDER_NOT_OWN for a folder with others' files, and what could not be removed.
 */
export async function purgeHost(folders: Folders): Promise<void> {
  refuseOthersFiles(folders);
  const { keeper, controller, close } = await openHost(folders);
  try {
    await keeper.removeAll();
    await controller.purge();
  } finally {
    await close();
  }
  for (const folder of [folders.root, folders.run]) rmSync(folder, { recursive: true, force: true });
}

/** Opens everything but the door. Throws as {@link runDaemon}. */
async function openHost(options: DaemonOptions): Promise<OpenHost> {
  for (const folder of [options.root, options.run]) {
    if (!isAbsolute(folder))
      throw new WeftError("INVALID_CONFIG", `invalid folder ${folder}: it should be an absolute path`);
  }
  const config = options.config === undefined ? defaultConfig : readConfig(options.config);
  const log = openLog(config["log-level"]);
  const undo: Undo = [];
  try {
    return await open(options, config, log, undo);
  } catch (error) {
    await runAll("close", undo.toReversed()).catch(() => {}); // why it cannot start is what counts
    throw error;
  }
}

async function open(
  options: DaemonOptions,
  config: DaemonConfig,
  log: DaemonLog,
  undo: Undo,
): Promise<OpenHost> {
  const { root, run } = options;
  const clock = systemClock;
  const random = systemRandom;
  mkdirSync(run, { recursive: true, mode: 0o755 });
  const started = await noteStart(options);
  undo.push(started);
  const events = new EventLog(clock, newRun(random));
  // By a descriptor: /proc/PID/ns/net is whatever the main thread is in at that moment, and clients enter this one.
  const ownNetns = openSync("/proc/self/ns/net", "r");
  undo.push(() => closeSync(ownNetns));
  const hostNetns = `/proc/${process.pid}/fd/${ownNetns}`;
  const launcher = new Launcher({ spare: 1 });
  undo.push(() => launcher.close());
  launcher.prepare(); // beside all that follows; processes it starts last, that they inherit nothing and delay nothing
  const controller = await Controller.open({
    root,
    hostNetns,
    ...controllerOptions(config),
    onEvent: (event) => tellModelEvent(event, log, (one) => events.add(one)),
  });
  undo.push(() => controller.close());
  await controller.ensurePredefined(predefinedNetworks(config));
  const facts = new LinuxFacts(hostNetns);
  undo.push(() => facts.close());
  await launcher.start();
  const follower = new CommandFollower();
  undo.push(() => follower.close());

  const book = new SandboxBook(new RecordTable<SandboxRecord>(controller.own("sandboxes")));
  const onError = (what: string, error: unknown) =>
    log.error({ component: "sandboxes", what, err: error }, "failed");
  const logKeeper = new LogKeeper({ onError: (error, path) => onError(path, error) });
  const runner = new LaunchedRunner({ launcher, follower, logKeeper, folder: commandsFolder(root), onError });
  undo.push(() => runner.close());
  const keeper = new SandboxKeeper({
    controller,
    book,
    runner,
    clock,
    random,
    tell: (happening) => events.add(sandboxEvent(happening)),
    onError,
  });
  undo.push(() => keeper.close());
  await keeper.restore();

  const networks = new HostNetworks({ controller, book, keeper, clock, tell: (event) => events.add(event) });
  const metrics = new LaterMetrics({
    networks: () => controller.networks().length,
    sandboxes: () => countByStatus(book),
    figures: () => figuresOf(controller),
  });
  const parts = {
    controller,
    facts,
    book,
    folders: { root, run },
    clock,
    version: weftVersion,
    config,
    output: runner,
    metrics: () => metrics.text(),
  };
  const host = new Host({
    ...parts,
    keeper,
    networks,
    events,
    plan: (request) => planRequest({ ...parts, random }, request),
  });
  events.add({ Type: "daemon", Action: "start", Actor: { Id: "", Name: weftVersion } });
  started();
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= runAll("close", undo.toReversed());
    return closed;
  };
  return { host, controller, keeper, metrics, log, config, close };
}

function countByStatus(book: SandboxBook): ReadonlyMap<string, number> {
  const counts = new Map<string, number>([
    ["created", 0],
    ["running", 0],
    ["restarting", 0],
    ["exited", 0],
  ]);
  for (const record of book.all()) counts.set(statusOf(record), (counts.get(statusOf(record)) ?? 0) + 1);
  return counts;
}
