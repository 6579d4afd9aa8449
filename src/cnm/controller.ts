import { Events, KeyedLock, runAll, WeftError } from "../core/index.ts";
import type { Feature } from "../facts/index.ts";
import { asIpamDriver, BuiltinAllocator, NullAllocator } from "../ipam/index.ts";
import { type Journal, Reconciler, StoreJournal } from "../plan/index.ts";
import { Background } from "./background.ts";
import { followChangedFacts } from "./changed-facts.ts";
import type { Context } from "./context.ts";
import type { ControllerEvent } from "./controller-event.ts";
import type { ControllerOptions, ControllerParts } from "./controller-options.ts";
import { openParts } from "./controller-parts.ts";
import { CountedKernel } from "./counted-kernel.ts";
import { driversOf } from "./drivers-of.ts";
import { withGoneLinks } from "./gone-links.ts";
import type { HostDrift } from "./host-drift.ts";
import { followHostResolvConf } from "./host-resolv-conf.ts";
import { LazyStore } from "./lazy-store.ts";
import { lostPortDrifts } from "./lost-ports.ts";
import { Network } from "./network.ts";
import { createNetwork, deleteNetwork } from "./network-operations.ts";
import type { NetworkOptions } from "./network-options.ts";
import { Operations, type Verb } from "./operations.ts";
import { OwnRecords } from "./own-records.ts";
import { Paths } from "./paths.ts";
import { takeLostPorts } from "./port-recovery.ts";
import { ensurePredefined, type PredefinedNetworks } from "./predefined.ts";
import type { NetworkRecord } from "./records.ts";
import { restore } from "./restore.ts";
import { hostLock, resume } from "./restore-deletions.ts";
import { Sandbox } from "./sandbox.ts";
import {
  checkSandbox,
  createSandbox,
  type InitialEndpoint,
  type SandboxOptions,
} from "./sandbox-operations.ts";
import { type RepairCounters, SelfRepair } from "./self-repair.ts";
import { type ControllerStats, statsOf } from "./stats.ts";
import { Tables } from "./tables.ts";
import { type TwinStep, twinParts } from "./twin.ts";
import { type Unmended, unmendedBy } from "./unmended.ts";

/** How a sandbox is to be, and the endpoints it is to be made with. */
export interface NewSandbox extends SandboxOptions {
  readonly endpoints?: readonly (Omit<InitialEndpoint, "network"> & {
    readonly network: Pick<Network, "id">;
  })[];
}

/** A controller that touches nothing; see {@link Controller.twin}. */
export interface Twin {
  readonly controller: Controller;
  steps(): readonly TwinStep[];
  close(): Promise<void>;
}

/**
 * The networks, endpoints and sandboxes of one host namespace: Docker's Container Network Model. There
 * is one controller in a host namespace, and one for a root folder. Closing it, or killing its process,
 * leaves everything as it is; opening it again finds it.
 */
export class Controller {
  /** What happens by itself. */
  readonly events = new Events<ControllerEvent>();
  readonly #context: Context;
  readonly #parts: ControllerParts;
  readonly #allocator: BuiltinAllocator;
  readonly #kernel: CountedKernel;
  readonly #journal: StoreJournal;
  readonly #repair: SelfRepair;
  readonly #unfollow: (() => unknown)[] = [];
  #closed = false;

  private constructor(parts: ControllerParts) {
    this.#parts = parts;
    this.#allocator = new BuiltinAllocator({ hostId: parts.hostId, localPools: parts.defaultAddressPools });
    this.#kernel = new CountedKernel(parts.kernel, parts.clock);
    this.#journal = new StoreJournal(parts.store);
    const inner = { ...parts, kernel: this.#kernel };
    this.#context = contextOf(inner, this.#journal, this.#allocator, this.events);
    this.#repair = new SelfRepair(this.#context);
  }

  /**
   * Opens a controller and brings the host to what its records say. Throws NO_ROOT, CONTROLLER_RUNNING
   * (naming the process), SCHEMA_NEWER, INVALID_OPTION, and DRIVER_NOT_FOUND when a network's driver is not
   * among those it is given; then nothing was changed.
   */
  static async open(options: ControllerOptions): Promise<Controller> {
    return Controller.assemble(await openParts(options), options.onEvent);
  }

  /** A controller of given parts, which it closes; for tests and for other runtimes. */
  static async assemble(
    parts: ControllerParts,
    onEvent?: (event: ControllerEvent) => void,
  ): Promise<Controller> {
    const controller = new Controller(parts);
    if (onEvent !== undefined) controller.events.subscribe(onEvent);
    parts.tell?.((event) => controller.events.emit(event));
    try {
      controller.#follow(); // how the host is when this begins is what the restoring reads
      await controller.#journal.beginOn(parts.facts.netnsIdentity(parts.hostNetnsPath));
      const context = controller.#context;
      await context.locks.run(hostLock, () => restore(context, controller.#allocator));
      controller.#repair.start();
      return controller;
    } catch (error) {
      await controller.close().catch(() => {}); // why it could not be opened is what the caller needs
      throw error;
    }
  }

  /** Makes a network of a driver; see {@link createNetwork} for what it throws. */
  async createNetwork(driver: string, name: string, options: NetworkOptions = {}): Promise<Network> {
    const record = await this.#run(
      () => createNetwork(this.#context, driver, name, options),
      "network create",
    );
    return new Network(this.#context, record);
  }

  /**
   * Makes weft's own networks where they are missing: `host`, `none`, and `bridge` as it is to be; see
   * {@link ensurePredefined} for what it throws.
   */
  ensurePredefined(networks: PredefinedNetworks): Promise<void> {
    return this.#run(() => ensurePredefined(this.#context, networks), "networks ensure");
  }

  /** A network by id, name or unique beginning of its id. Throws NETWORK_NOT_FOUND, AMBIGUOUS_ID. */
  network(nameOrId: string): Network {
    return new Network(this.#context, this.#context.tables.findNetwork(nameOrId));
  }

  /** All networks, in the order in which they were made. */
  networks(): readonly Network[] {
    const records = [...this.#context.tables.networks.all()].filter(({ state }) => state !== "deleting");
    return records.sort((a, b) => a.created - b.created).map((record) => new Network(this.#context, record));
  }

  /** Makes the sandbox of a container, with its endpoints if any; see {@link createSandbox}. */
  async createSandbox(containerId: string, wanted: NewSandbox = {}): Promise<Sandbox> {
    const { options, endpoints } = withIds(wanted);
    const record = await this.#run(
      () => createSandbox(this.#context, containerId, options, endpoints),
      "sandbox create",
    );
    return new Sandbox(this.#context, record, this.#parts.hostNetnsPath);
  }

  /** Refuses a sandbox that could not be made as asked, and makes none; see {@link checkSandbox}. */
  checkSandbox(containerId: string, wanted: NewSandbox): void {
    const { options, endpoints } = withIds(wanted);
    checkSandbox(this.#context, containerId, options, endpoints);
  }

  /** A sandbox by id, container id or unique beginning of its id. Throws SANDBOX_NOT_FOUND, AMBIGUOUS_ID. */
  sandbox(idOrContainer: string): Sandbox {
    return new Sandbox(
      this.#context,
      this.#context.tables.findSandbox(idOrContainer),
      this.#parts.hostNetnsPath,
    );
  }

  /** All sandboxes. */
  sandboxes(): readonly Sandbox[] {
    const records = [...this.#context.tables.sandboxes.all()].filter(({ state }) => state !== "deleting");
    return records.map((record) => new Sandbox(this.#context, record, this.#parts.hostNetnsPath));
  }

  /** Where the host differs from what the records say; somebody may have changed it. */
  drift(): Promise<readonly HostDrift[]> {
    return this.#run(async () => {
      await followChangedFacts(this.#context);
      const drifts = await this.#context.reconciler.drift();
      return [...withGoneLinks(this.#context, drifts), ...lostPortDrifts(this.#context.lostPorts)];
    }, "drift");
  }

  /**
   * Makes the host what the records say, and tries again to end what was deleted and could not be removed.
   * Gives all that could not be mended.
   */
  async repair(): Promise<readonly Unmended[]> {
    const { background, locks } = this.#context;
    const [lost, synced] = await this.#run(async () => {
      await followChangedFacts(this.#context);
      return locks.run(hostLock, async () => [
        await takeLostPorts(this.#context),
        await resume(this.#context),
      ]);
    }, "repair");
    const { removed, ending } = synced;
    const left = await removed.then(
      () => [],
      (error: unknown) => [{ what: "leftovers", error }],
    );
    for (const key of ending) await background.settled(key);
    const unended = ending.flatMap((what) => {
      const error = background.failureOf(what);
      return error === undefined ? [] : [{ what, error }];
    });
    return [...lost, ...unmendedBy(synced, this.#context.reconciler), ...left, ...unended];
  }

  /** How often the host had to be put right by itself since this controller was opened. */
  get repairs(): RepairCounters {
    return this.#repair.counters;
  }

  /** Everything in figures, for metrics: what was counted anyway, and an answer of each thread. Never throws. */
  stats(): Promise<ControllerStats> {
    return statsOf(this.#context, this.#parts.threads ?? {}, this.#kernel, this.repairs);
  }

  /** What this kernel offers, with the module that brings what it lacks. */
  features(): readonly Feature[] {
    return this.#context.facts.features();
  }

  /**
   * Records of the embedding program's own, kept in the controller's store; see {@link OwnRecords}. Throws
   * INVALID_NAME.
   */
  own(name: string): OwnRecords {
    return new OwnRecords(this.#context.store, this.#context.operations, name);
  }

  /**
   * Writes a copy of all records, as they are at one moment, into a new file (mode 0600). Throws FILE_EXISTS,
   * DISK_FULL, STORE; then there is no such file. See {@link restoreRecords}.
   */
  backup(file: string): Promise<void> {
    return this.#run(() => this.#context.store.backup(file), "backup");
  }

  /** Counts the commits of the records, over all starts. */
  get revision(): number {
    return this.#context.store.revision;
  }

  /**
   * A controller to try things out on: it has the records, the allocations and what is believed of the kernel
   * as they are now, and the facts of the host, but store, kernel and ports are in memory. Nothing real is
   * touched. `steps` are what was done to its kernel so far; what goes on in the background is among them once
   * its `idle()` has resolved. Names made from ids and random MAC addresses are its own.
   */
  twin(): Promise<Twin> {
    return this.#run(async () => {
      const { parts, begin, steps } = await twinParts(this.#parts, this.#context);
      const controller = await Controller.assemble(parts);
      await controller.idle();
      begin();
      return { controller, steps, close: () => controller.close() };
    }, "twin");
  }

  /** Resolves when everything that was deleted is out of the kernel and its addresses are free. */
  async idle(): Promise<void> {
    await this.#context.background.idle();
    await this.#context.reconciler.idle();
  }

  /** Ends the controller: names are answered no more, everything else stays. Calling it twice does no harm. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await runAll("close", [
      ...this.#unfollow,
      () => this.#context.operations.end(),
      () => this.idle(),
      () => this.#context.reconciler.close(),
      () => this.#context.store.flush(),
      ...this.#parts.onClose,
    ]);
  }

  /** Deletes every sandbox and network, restores what weft changed on the host, and removes the root folder's contents. Throws what could not be deleted; then the records stay. */
  async purge(): Promise<void> {
    await this.#run(async () => {}); // refused when it is closed
    const deletions = [
      ...this.sandboxes().map((sandbox) => () => sandbox.delete()),
      () => this.idle(),
      // What others are made from goes after them.
      ...this.#networksLast(({ configOnly }) => configOnly).map((network) => async () => {
        for (const endpoint of network.endpoints()) await endpoint.delete({ force: true });
        await this.#run(() => deleteNetwork(this.#context, network, true), "network delete");
      }),
      () => this.idle(),
      () => this.#refuseIfAnythingIsLeft(),
    ];
    try {
      await runAll("purge", deletions);
    } finally {
      await this.close();
    }
    await runAll("purge", this.#parts.onPurge);
  }

  #networksLast(isLast: (record: NetworkRecord) => boolean): readonly Network[] {
    const networks = this.networks();
    const last = networks.filter((network) => isLast(network.info()));
    return [...networks.filter((network) => !last.includes(network)), ...last];
  }

  /** The records of what could not be removed are needed by the next start, which tries again. */
  #refuseIfAnythingIsLeft(): void {
    const { networks, endpoints, sandboxes } = this.#context.tables;
    const left = [...networks.ids(), ...endpoints.ids(), ...sandboxes.ids()].length;
    if (left > 0)
      throw new WeftError(
        "TEARDOWN",
        `${left} objects could not be removed: open the controller again to try again`,
      );
  }

  /** Keeps in step with what changes on the host by itself. */
  #follow(): void {
    const { operations, facts } = this.#context;
    const stop = facts.followResolvConf(() => {
      // Refused when the controller is closed meanwhile; the next one finds it.
      operations.run(() => followHostResolvConf(this.#context)).catch(() => {});
    });
    this.#unfollow.push(stop);
    if (!this.#parts.selfRepair) return;
    const unfollow = facts.followHost((change) => this.#repair.hear(change));
    this.#unfollow.push(() => this.#repair.stop(), unfollow);
  }

  #run<T>(work: () => Promise<T>, verb?: Verb): Promise<T> {
    return this.#context.operations.run(work, verb);
  }
}

function contextOf(
  parts: ControllerParts,
  journal: Journal,
  allocator: BuiltinAllocator,
  events: Events<ControllerEvent>,
): Context {
  const paths = new Paths(parts.root);
  const { netnsFolder, fileFolder } = paths;
  const reconciler = new Reconciler({
    kernel: parts.kernel,
    journal,
    held: parts.held,
    netnsFolder,
    fileFolder,
  });
  const tables = new Tables();
  const builtin = [asIpamDriver(allocator), asIpamDriver(new NullAllocator())];
  reconciler.events.subscribe((event) => {
    if (event.event === "effect-failed")
      events.emit({ event: "effect-failed", what: event.effect.effect, error: event.error });
    else for (const error of event.errors) events.emit({ event: "removal-failed", what: "host", error });
  });
  return {
    store: new LazyStore(parts.store, parts.clock, (error) =>
      events.emit({ event: "write-failed", what: "store", error }),
    ),
    tables,
    reconciler,
    drivers: driversOf(parts, tables, journal),
    ipamDrivers: new Map([...builtin, ...parts.ipamDrivers].map((driver) => [driver.name, driver])),
    poolUsage: (driver, poolId) => (driver === "default" ? allocator.poolStatus(poolId) : undefined),
    facts: parts.facts,
    paths,
    clock: parts.clock,
    random: parts.random,
    events,
    locks: new KeyedLock(),
    operations: new Operations(parts.clock),
    background: new Background(events),
    otherFirewalls: { chains: [], idleBridgeNetfilter: [], owners: new Set(), refused: new Set() },
    keepBridgeNetfilter: parts.keepBridgeNetfilter,
    defaultNetworkOptions: parts.defaultNetworkOptions ?? {},
    hostGatewayAddresses: parts.hostGatewayAddresses ?? [],
    hostPorts: parts.hostPorts,
    lostPorts: new Map(),
  };
}

function withIds({ endpoints = [], ...options }: NewSandbox): {
  readonly options: SandboxOptions;
  readonly endpoints: readonly InitialEndpoint[];
} {
  return { options, endpoints: endpoints.map(({ network, ...rest }) => ({ ...rest, network: network.id })) };
}
