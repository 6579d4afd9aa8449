import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type ControllerParts, nativeDriverNames } from "../../src/cnm/controller-options.ts";
import { nameHandlers } from "../../src/cnm/held-names.ts";
import { portHandler } from "../../src/cnm/held-ports.ts";
import { Controller, type ControllerEvent } from "../../src/cnm/index.ts";
import { Paths } from "../../src/cnm/paths.ts";
import { schema } from "../../src/cnm/schema.ts";
import { runAll } from "../../src/core/index.ts";
import { StandingResolver } from "../../src/dns/index.ts";
import { type HostFacts, LinuxFacts } from "../../src/facts/index.ts";
import {
  hostNetns,
  type Kernel,
  LinuxKernel,
  mountPrivateFolder,
  type NetnsRef,
  openUdpAndTcp,
  unmountPrivateFolder,
} from "../../src/kernel/index.ts";
import {
  ephemeralSettings,
  HostPorts,
  LinuxPortSockets,
  MemoryPortProxies,
  MemoryPortSockets,
  ObservedPortSockets,
  ProxyService,
  StandingProxies,
} from "../../src/ports/index.ts";
import { LmdbStore, MemoryStore, type Store } from "../../src/store/index.ts";
import { withNetns } from "../netns-fixture.ts";
import { seededRandom, TestClock } from "./deterministic.ts";
import { HeldLedger } from "./held-ledger.ts";
import { type HostHand, LinuxHand, TwinHand } from "./host-hand.ts";
import { TwinFacts, TwinKernel } from "./twin-host.ts";

const resolvConf = "nameserver 192.0.2.53\nnameserver 127.0.0.1\nsearch example.org\noptions timeout:2\n";

/** What a test may choose of a world. */
export interface WorldOptions {
  readonly seed?: string;
  /** Drivers besides the native ones; made anew with each controller, as their process would be. */
  readonly drivers?: (hand: HostHand, facts: HostFacts) => ControllerParts["drivers"];
  readonly kernel?: (kernel: Kernel) => Kernel;
  readonly store?: (store: Store) => Store;
  readonly pools?: ControllerParts["defaultAddressPools"];
  readonly selfRepair?: boolean;
  readonly hostGatewayAddresses?: NonNullable<ControllerParts["hostGatewayAddresses"]>;
  readonly defaultNetworkOptions?: NonNullable<ControllerParts["defaultNetworkOptions"]>;
}

/** A host with a controller: in memory, or in a namespace of the test's own. One test body runs on both. */
export class World {
  readonly events: ControllerEvent[] = [];
  readonly held = new HeldLedger();
  readonly clock = new TestClock();
  readonly paths: Paths;
  readonly hand: HostHand;
  readonly #options: WorldOptions;
  readonly #base: WorldBase;
  readonly #random;
  #controller: Controller | undefined;
  #parts: OpenParts | undefined;

  constructor(base: WorldBase, options: WorldOptions) {
    this.#base = base;
    this.#options = options;
    this.#random = seededRandom(options.seed ?? "weft");
    this.paths = new Paths(base.root);
    this.hand = base.hand;
  }

  /** The controller that is open. */
  get controller(): Controller {
    if (this.#controller === undefined) throw new Error("no controller is open");
    return this.#controller;
  }

  /** The kernel and the store as they are, without the test's wrappers. */
  get bare(): OpenParts {
    if (this.#parts === undefined) throw new Error("no controller was opened");
    return this.#parts;
  }

  /** The twin, for tests that are of it alone. */
  get twin(): TwinKernel {
    if (this.bare.kernel instanceof TwinKernel) return this.bare.kernel;
    throw new Error("this world is no twin");
  }

  /** Opens a controller. */
  async open(): Promise<Controller> {
    const parts = await this.#base.open();
    this.#parts = parts;
    const { kernel = (one) => one, store = (one) => one, drivers, pools } = this.#options;
    this.#controller = await Controller.assemble(
      {
        root: this.#base.root,
        hostNetnsPath: this.#base.hostNetnsPath,
        store: store(parts.store),
        kernel: kernel(parts.kernel),
        facts: parts.facts,
        held: this.held.handlers(parts.held),
        hostPorts: parts.hostPorts,
        ...(this.#base.observePorts === undefined ? {} : { observePorts: this.#base.observePorts }),
        drivers: [...nativeDriverNames, ...(drivers?.(this.hand, parts.facts) ?? [])],
        ipamDrivers: [],
        defaultAddressPools: pools ?? [],
        hostGatewayAddresses: this.#options.hostGatewayAddresses ?? [],
        defaultNetworkOptions: this.#options.defaultNetworkOptions ?? {},
        hostId: "test-host",
        keepBridgeNetfilter: true,
        selfRepair: this.#options.selfRepair ?? false,
        clock: this.clock,
        random: this.#random,
        onClose: [() => parts.close()],
        onPurge: [],
      },
      (event) => this.events.push(event),
    );
    return this.#controller;
  }

  /** Closes the controller and opens it again. */
  async restart(): Promise<Controller> {
    await this.controller.close();
    return this.open();
  }

  /**
   * Drops the controller as the death of its process would: what it holds is gone, everything else stays.
   * `meanwhile` happens before it is opened again.
   */
  async kill(meanwhile: () => void = () => {}): Promise<Controller> {
    this.#controller = undefined;
    this.held.forget();
    await this.bare.die();
    meanwhile();
    return this.open();
  }

  /** Waits for what goes on in the background, and for writes that nobody waits for. */
  async settle(): Promise<void> {
    await this.controller.idle();
    this.clock.wakeAll();
    await new Promise<void>((resolve) => setImmediate(resolve));
    await this.bare.store.transact(() => {});
  }

  /** Takes everything down, also after a failure. */
  async end(): Promise<void> {
    await runAll("end of the world", [
      () => this.#controller?.close(),
      () => this.#parts?.die(),
      () => this.#base.end(),
    ]);
  }
}

/** The parts of one opening. */
export interface OpenParts {
  readonly kernel: Kernel;
  readonly store: Store;
  readonly facts: HostFacts;
  readonly held: ControllerParts["held"];
  readonly hostPorts: HostPorts;
  /** What closing the controller closes besides. */
  close(): Promise<void>;
  /** What the death of the process ends. */
  die(): Promise<void>;
}

/** What outlives a controller. */
export interface WorldBase {
  readonly root: string;
  readonly hostNetnsPath: string;
  readonly hand: HostHand;
  readonly observePorts?: NonNullable<ControllerParts["observePorts"]>;
  open(): Promise<OpenParts>;
  end(): Promise<void>;
}

/** Runs `body` in a world in memory. */
export async function withTwin(
  body: (world: World) => Promise<void>,
  options: WorldOptions = {},
): Promise<void> {
  const kernel = new TwinKernel();
  const facts = new TwinFacts(kernel, resolvConf);
  let store = new MemoryStore();
  const root = "/weft-twin";
  const sockets = new MemoryPortSockets();
  await inWorld(
    {
      root,
      hostNetnsPath: "/proc/self/ns/net",
      hand: new TwinHand(kernel, facts, sockets),
      async open() {
        const hostPorts = new HostPorts({
          sockets,
          settings: () => ephemeralSettings((key) => facts.sysctl(key)),
        });
        return {
          kernel,
          store,
          facts,
          held: [portHandler(hostPorts, new MemoryPortProxies())],
          hostPorts,
          // What is in memory outlives its closing, as what is on disk does.
          close: async () => {
            hostPorts.close();
            store = await copyOf(store);
          },
          die: async () => hostPorts.close(),
        };
      },
      async end() {},
    },
    body,
    options,
  );
}

async function copyOf(store: MemoryStore): Promise<MemoryStore> {
  const entries = [...store.range("")];
  await store.close();
  const copy = new MemoryStore();
  await copy.transact((transaction) => {
    for (const { key, value } of entries) transaction.put(key, value);
  });
  return copy;
}

/** Runs `body` in a world on this machine's kernel, in a namespace of its own. */
export async function withLinux(
  body: (world: World) => Promise<void>,
  options: WorldOptions = {},
): Promise<void> {
  await withNetns(1, async ([host]) => {
    const root = mkdtempSync(join(realpathSync(tmpdir()), "weft-world-"));
    const paths = new Paths(root);
    const resolvConfPath = join(root, "host-resolv.conf");
    writeFileSync(resolvConfPath, resolvConf);
    // Where the machine's own namespace forwards, a new one does too.
    host.run(() => writeFileSync("/proc/sys/net/ipv4/ip_forward", "0"));
    host.exec("ip", "link", "set", "lo", "up");
    let store: LmdbStore | undefined;
    const base: WorldBase = {
      root,
      hostNetnsPath: host.path,
      hand: new LinuxHand(host),
      observePorts: (own) => new ObservedPortSockets(host.path, own),
      async open() {
        store ??= await LmdbStore.open({ path: paths.store, schema });
        return openLinux(host.path, resolvConfPath, paths, store, () => {
          store = undefined;
        });
      },
      async end() {
        await store?.close();
        unmountPrivateFolder(paths.run);
        rmSync(root, { recursive: true, force: true });
      },
    };
    await inWorld(base, body, options);
  });
}

async function openLinux(
  netnsPath: string,
  resolvConfPath: string,
  paths: Paths,
  store: LmdbStore,
  closed: () => void,
): Promise<OpenParts> {
  mountPrivateFolder(paths.run);
  for (const folder of [paths.netnsFolder, paths.fileFolder]) mkdirSync(folder, { recursive: true });
  const kernel = new LinuxKernel(netnsPath);
  const facts = new LinuxFacts(netnsPath, resolvConfPath);
  const dns = new StandingResolver();
  const pathOf = (netns: NetnsRef) => (netns === hostNetns ? netnsPath : netns);
  const proxies = new StandingProxies(() => ProxyService.start(netnsPath));
  const hostPorts = new HostPorts({
    sockets: new LinuxPortSockets(netnsPath),
    settings: () => ephemeralSettings((key) => facts.sysctl(key)),
  });
  const die = async () => {
    kernel.close();
    if (!ended) facts.close();
    ended = true;
    await proxies.close();
    hostPorts.close();
    await dns.close();
  };
  let ended = false;
  return {
    kernel,
    store,
    facts,
    held: [
      ...nameHandlers(dns, ({ netns, port }) => openUdpAndTcp(pathOf(netns), [127, 0, 0, 11], port), pathOf),
      portHandler(hostPorts, proxies),
    ],
    hostPorts,
    async close() {
      await die();
      await store.close();
      closed();
    },
    die,
  };
}

async function inWorld(base: WorldBase, body: (world: World) => Promise<void>, options: WorldOptions) {
  const world = new World(base, options);
  try {
    await world.open();
    await body(world);
  } catch (error) {
    await world.end().catch(() => {}); // what failed first is what the reader needs to see
    throw error;
  }
  await world.end();
}

/** One test body as two tests: on the twin, and on Linux. */
export function onBoth(name: string, body: (world: World) => Promise<void>, options?: WorldOptions): void {
  test(`${name} (twin)`, () => withTwin(body, options));
  test(`${name} (Linux)`, () => withLinux(body, options));
}
