import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import { join } from "node:path";
import type {
  Created,
  DriftItem,
  Entry,
  Event,
  EventQuery,
  Filters,
  Finding,
  HostService,
  Info,
  LogQuery,
  NetworkConnect,
  NetworkCreate,
  NetworkDisconnect,
  Network as NetworkDocument,
  Plan,
  PlanRequest,
  ProcessIdentity,
  PruneReport,
  RepairReport,
  Sandbox,
  SandboxCreate,
  SandboxSummary,
  Version,
  WaitResult,
} from "../api/index.ts";
import type { Controller, HostDrift } from "../cnm/index.ts";
import { type Clock, type Id, isWeftError, messageOf } from "../core/index.ts";
import type { HostFacts } from "../facts/index.ts";
import { type PortBinding, parseExposed } from "../ports/index.ts";
import type { DaemonConfig } from "./config.ts";
import { diagnose } from "./doctor.ts";
import type { EventLog } from "./event-log.ts";
import type { Folders } from "./folders.ts";
import { type FilterKeys, filterBy, hasLabel, parsePorts } from "./listing-filters.ts";
import type { HostNetworks } from "./networks/host-networks.ts";
import { withDefaults } from "./sandbox-defaults.ts";
import { hostnameOf, type LaunchedRunner } from "./sandboxes/launched-runner.ts";
import type { SandboxBook } from "./sandboxes/sandbox-book.ts";
import type { SandboxKeeper } from "./sandboxes/sandbox-keeper.ts";
import type { SandboxRecord } from "./sandboxes/sandbox-record.ts";
import { type SandboxSight, sandboxView, statusOf, summaryView } from "./sandboxes/sandbox-view.ts";
import { timeText } from "./time-text.ts";
import { wireNetworksOf } from "./wire-networks.ts";

/** What a host is served with. */
export interface HostInit {
  readonly controller: Controller;
  readonly facts: HostFacts;
  readonly book: SandboxBook;
  readonly keeper: SandboxKeeper;
  readonly networks: HostNetworks;
  readonly events: Pick<EventLog, "follow">;
  readonly folders: Folders;
  readonly clock: Clock;
  readonly version: string;
  readonly config: DaemonConfig;
  readonly output: Pick<LaunchedRunner, "logs" | "logPath" | "inputPath">;
  readonly plan: (request: PlanRequest) => Promise<Plan>;
  readonly metrics: () => Promise<string>;
}

/** One host's networks and sandboxes, as its clients see and change them. */
export class Host implements HostService {
  readonly #init: HostInit;
  readonly #startedAt: number;

  constructor(init: HostInit) {
    this.#init = init;
    this.#startedAt = init.clock.now();
  }

  version(): Version {
    return {
      Version: this.#init.version,
      ApiVersion: "1",
      KernelVersion: os.release(),
      NodeVersion: process.version,
      Arch: os.arch(),
    };
  }

  info(): Info {
    const { controller, book, folders } = this.#init;
    let running = 0;
    for (const record of book.all()) if (record.process !== undefined) running++;
    return {
      Pid: process.pid,
      RootDir: folders.root,
      RunDir: folders.run,
      Networks: controller.networks().length,
      Sandboxes: book.size,
      SandboxesRunning: running,
      StartedAt: timeText(this.#startedAt),
      MemoryBytes: process.memoryUsage.rss(),
      StoreRevision: controller.revision,
    };
  }

  createNetwork(request: NetworkCreate): Promise<Created> {
    return this.#init.networks.create(request);
  }

  networks(filters: Filters): readonly NetworkDocument[] {
    return this.#init.networks.list(filters);
  }

  network(reference: string, options: { readonly verbose: boolean }): Promise<NetworkDocument> {
    return this.#init.networks.inspect(reference, options);
  }

  removeNetwork(reference: string): Promise<void> {
    return this.#init.networks.remove(reference);
  }

  pruneNetworks(filters: Filters): Promise<PruneReport> {
    return this.#init.networks.prune(filters);
  }

  connect(network: string, request: NetworkConnect): Promise<void> {
    return this.#init.networks.connect(network, request);
  }

  disconnect(network: string, request: NetworkDisconnect): Promise<void> {
    return this.#init.networks.disconnect(network, request);
  }

  async createSandbox(request: SandboxCreate, options: { readonly start: boolean }): Promise<Created> {
    const { id, config } = await this.#init.keeper.create(withDefaults(request, this.#init.config), options);
    const discarded = config.NetworkMode === "host" && (config.Ports.length > 0 || config.PublishAllPorts);
    return {
      Id: id,
      Warnings: discarded ? ["Published ports are discarded when using host network mode"] : [],
    };
  }

  sandboxes(filters: Filters, { all }: { readonly all: boolean }): readonly SandboxSummary[] {
    const { book, clock } = this.#init;
    const passes = filterBy(filters, this.#filterKeys);
    const wanted = all || "status" in filters || "exited" in filters;
    const records = [...book.all()].filter((record) => (wanted || isShown(record)) && passes(record));
    const now = clock.now();
    return records
      .sort((a, b) => b.created - a.created || (a.id < b.id ? -1 : 1))
      .map((record) => summaryView(this.#sight(record), now));
  }

  async sandbox(reference: string): Promise<Sandbox> {
    const record = this.#init.book.find(reference);
    return sandboxView(this.#sight(record), this.#init.output.logPath(record.id));
  }

  removeSandbox(reference: string, options: { readonly force: boolean }): Promise<void> {
    return this.#init.keeper.remove(reference, options);
  }

  startSandbox(reference: string): Promise<void> {
    return this.#init.keeper.start(reference);
  }

  stopSandbox(reference: string, { timeout }: { readonly timeout: number | undefined }): Promise<void> {
    return this.#init.keeper.stop(reference, timeout);
  }

  killSandbox(reference: string, { signal }: { readonly signal: string }): Promise<void> {
    return this.#init.keeper.kill(reference, signal);
  }

  restartSandbox(reference: string, { timeout }: { readonly timeout: number | undefined }): Promise<void> {
    return this.#init.keeper.restart(reference, timeout);
  }

  async waitSandbox(reference: string, signal: AbortSignal): Promise<WaitResult> {
    return { StatusCode: await this.#init.keeper.wait(reference, signal) };
  }

  logs(reference: string, query: LogQuery): AsyncIterable<Uint8Array> {
    const { book, keeper, output } = this.#init;
    const record = book.find(reference);
    const ended = keeper.wait(record.id, query.signal);
    ended.catch(() => {}); // of no interest once nobody reads
    return output.logs(record, query, ended);
  }

  async enterSandbox(reference: string): Promise<Entry> {
    const { record, place } = await this.#init.keeper.enter(reference);
    const { Command } = record.config;
    const input = this.#init.output.inputPath(record);
    return {
      Id: record.id,
      NetnsPath: place.netnsPath,
      Files: place.files.map(({ source, target }) => ({ Source: source, Target: target })),
      Hostname: hostnameOf(record) ?? "",
      ...(record.config.Domainname === "" ? {} : { Domainname: record.config.Domainname }),
      ...(Command === undefined ? {} : { Command }),
      ...(input === undefined ? {} : { Stdin: input }),
      ...(record.process === undefined ? {} : { Process: wireIdentity(record.process.identity) }),
    };
  }

  claimProcess(reference: string, process: ProcessIdentity): Promise<void> {
    return this.#init.keeper.claim(reference, modelIdentity(process));
  }

  tellExit(
    reference: string,
    { process, status }: { readonly process: ProcessIdentity; readonly status: number },
  ): Promise<void> {
    return this.#init.keeper.tellExit(reference, modelIdentity(process), status);
  }

  async drift(): Promise<readonly DriftItem[]> {
    return (await this.#init.controller.drift()).map(driftView);
  }

  async repair(): Promise<RepairReport> {
    const { controller } = this.#init;
    const before = await controller.drift();
    const failures = await controller.repair();
    const left = new Set(failures.map(({ what }) => what));
    return {
      Mended: before.map(({ identity }) => identity).filter((one) => !left.has(one)),
      Unmended: failures.map(({ what, error }) => ({ What: what, Error: messageOf(error) })),
    };
  }

  async doctor(): Promise<readonly Finding[]> {
    const { controller, facts } = this.#init;
    const drifted = (await controller.drift()).length;
    const forwards = controller.networks().some(({ driver }) => driver === "bridge");
    const wireNetworks = wireNetworksOf(controller);
    return diagnose({ facts, features: controller.features(), drifted, forwards, wireNetworks });
  }

  plan(request: PlanRequest): Promise<Plan> {
    return this.#init.plan(request);
  }

  events(query: EventQuery): AsyncIterable<Event> {
    return this.#init.events.follow(query);
  }

  metrics(): Promise<string> {
    return this.#init.metrics();
  }

  async *backup(signal: AbortSignal): AsyncIterable<Uint8Array> {
    const { controller, folders } = this.#init;
    const folder = await mkdtemp(join(folders.run, "backup-"));
    try {
      const copy = join(folder, "store");
      await controller.backup(copy);
      yield* createReadStream(copy, { signal });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  readonly #filterKeys: FilterKeys<SandboxRecord> = {
    id: ({ id }, value) => id.startsWith(value),
    name: ({ name }, value) => name.includes(value),
    label: ({ config }, value) => hasLabel(config.Labels, value),
    status: (record, value) => statusOf(record) === value,
    exited: ({ ending, process }, value) => process === undefined && String(ending?.code ?? "") === value,
    network: ({ networks }, value) => networks.some(({ Network }) => this.#isNetwork(Network, value)),
    publish: {
      read: (value) => {
        const has = parsePorts("publish", value);
        return ({ id }) =>
          has(this.#bindings(id).map(({ protocol, hostPort }) => ({ protocol, port: hostPort })));
      },
    },
    expose: {
      read: (value) => {
        const has = parsePorts("expose", value);
        return ({ id, config }) => has([...this.#bindings(id), ...config.ExposedPorts.flatMap(parseExposed)]);
      },
    },
  };

  /** The ports of the host that lead to a sandbox now. */
  #bindings(id: Id): readonly PortBinding[] {
    return this.#init.keeper.openings.get(id)?.ports() ?? [];
  }

  #isNetwork(reference: string, wanted: string): boolean {
    if (reference === wanted) return true;
    const { controller } = this.#init;
    try {
      return controller.network(reference).id === controller.network(wanted).id;
    } catch (error) {
      if (isWeftError(error, "NETWORK_NOT_FOUND")) return false;
      throw error;
    }
  }

  #sight(record: SandboxRecord): SandboxSight {
    const { keeper, controller } = this.#init;
    return {
      record,
      model: keeper.openings.get(record.id),
      networkName: (id) => controller.network(id).name,
    };
  }
}

/** Whether a listing shows a sandbox without being asked for all: what runs, or is there for others to use. */
function isShown(record: SandboxRecord): boolean {
  const status = statusOf(record);
  return status === "running" || status === "restarting" || record.config.Command === undefined;
}

function driftView(drift: HostDrift): DriftItem {
  return {
    Drift: drift.drift,
    Object: drift.identity,
    ...("wanted" in drift ? { Wanted: wantedView(drift) } : {}),
    ...("found" in drift ? { Found: drift.found } : {}),
  };
}

function wantedView(drift: HostDrift & { readonly wanted: unknown }): unknown {
  if (drift.drift !== "interface gone") return drift.wanted;
  return `for ${drift.networks.map((name) => `network ${name}`).join(", ")}`;
}

function wireIdentity({ pid, startTicks, bootId }: SandboxRecordIdentity): ProcessIdentity {
  return { Pid: pid, StartTicks: startTicks, BootId: bootId };
}

type SandboxRecordIdentity = NonNullable<SandboxRecord["process"]>["identity"];

function modelIdentity({ Pid, StartTicks, BootId }: ProcessIdentity): SandboxRecordIdentity {
  return { pid: Pid, startTicks: StartTicks, bootId: BootId };
}
