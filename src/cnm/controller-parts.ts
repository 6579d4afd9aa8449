import { existsSync, mkdirSync, readFileSync, realpathSync, rmdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { isAbsolute } from "node:path";
import { parseAddress, runAll, systemClock, systemRandom, WeftError } from "../core/index.ts";
import { StandingResolver } from "../dns/index.ts";
import { LinuxFacts } from "../facts/index.ts";
import {
  closeOnExecBelow,
  hostNetns,
  isMountPoint,
  LinuxKernel,
  mountPrivateFolder,
  type NetnsRef,
  openUdpAndTcp,
  requireRoot,
  unmountPrivateFolder,
} from "../kernel/index.ts";
import {
  ephemeralSettings,
  HostPorts,
  LinuxPortSockets,
  ObservedPortSockets,
  ProxyService,
  StandingProxies,
} from "../ports/index.ts";
import { LmdbStore } from "../store/index.ts";
import { type ControllerOptions, type ControllerParts, nativeDriverNames } from "./controller-options.ts";
import { takeExclusively } from "./exclusive.ts";
import { nameHandlers } from "./held-names.ts";
import { portHandler } from "./held-ports.ts";
import { Paths } from "./paths.ts";
import { schema } from "./schema.ts";

/** The namespace that this process is in. */
const ownNetns = "/proc/self/ns/net";
/** 127.0.0.11, where a sandbox's resolver listens. */
const listenAddress = [127, 0, 0, 11] as const;

/**
 * Opens the real parts of a controller: root folder, store, kernel, facts, resolver. Throws NO_ROOT,
 * CONTROLLER_RUNNING, SCHEMA_NEWER; then nothing is held and nothing was written.
 */
export async function openParts(options: ControllerOptions): Promise<ControllerParts> {
  requireRoot();
  if (!isAbsolute(options.root)) {
    throw new WeftError(
      "INVALID_OPTION",
      `invalid root folder ${JSON.stringify(options.root)}: it should be an absolute path`,
    );
  }
  const hostGatewayAddresses = (options.hostGatewayAddresses ?? []).map(parseAddress);
  const hostNetnsPath = options.hostNetns ?? ownNetns;
  const pathOf = (netns: NetnsRef) => (netns === hostNetns ? hostNetnsPath : netns);
  const paths = new Paths(options.root);
  const undo: (() => unknown)[] = [];
  const onFailure: (() => unknown)[] = [];
  const opened = <T extends { close(): unknown }>(part: T): T => {
    undo.unshift(() => part.close());
    return part;
  };
  try {
    opened(takeExclusively(paths, hostNetnsPath));
    const dns = opened(new StandingResolver()); // first, and not awaited: its thread takes longer to start than all the rest
    const store = opened(await LmdbStore.open({ path: paths.store, schema }));
    closeOnExecBelow(realpathSync(paths.store));
    if (!isMountPoint(paths.run)) onFailure.push(() => unmountPrivateFolder(paths.run));
    prepareRunFolder(paths);
    const kernel = opened(new LinuxKernel(hostNetnsPath));
    const facts = opened(new LinuxFacts(hostNetnsPath, options.resolvConf));
    const standing = new StandingProxies(() => ProxyService.start(hostNetnsPath));
    const hostPorts = opened(
      new HostPorts({
        sockets: new LinuxPortSockets(hostNetnsPath),
        settings: () => ephemeralSettings((key) => facts.sysctl(key)),
        onTake: () => standing.prepare(),
      }),
    );
    const proxies = opened(standing); // closed first, for they are lent the ports' sockets
    return {
      root: options.root,
      hostNetnsPath,
      store,
      kernel,
      facts,
      held: [
        ...nameHandlers(dns, ({ netns, port }) => openUdpAndTcp(pathOf(netns), listenAddress, port), pathOf),
        portHandler(hostPorts, proxies),
      ],
      hostPorts,
      observePorts: (own) => new ObservedPortSockets(hostNetnsPath, own),
      drivers: chosenDrivers(options),
      ipamDrivers: options.extraIpamDrivers ?? [],
      defaultAddressPools: options.defaultAddressPools ?? [],
      defaultNetworkOptions: options.defaultNetworkOptions ?? {},
      hostGatewayAddresses,
      hostId: hostId(),
      selfRepair: options.selfRepair ?? true,
      keepBridgeNetfilter: options.keepBridgeNetfilter ?? false,
      clock: systemClock,
      random: systemRandom,
      onClose: undo,
      onPurge: [() => unmountPrivateFolder(paths.run), () => removeRoot(paths)],
      threads: { dns: () => dns.stats(), proxies: () => proxies.stats() },
      tell: (listener) => {
        dns.events.subscribe(({ error }) => listener({ event: "resolver-crashed", error }));
        proxies.events.subscribe(({ error }) => listener({ event: "proxies-crashed", error }));
      },
    };
  } catch (error) {
    await runAll("close", [...undo, ...onFailure]).catch(() => {}); // the reason it could not be opened is what the caller needs
    throw error;
  }
}

function prepareRunFolder(paths: Paths): void {
  mountPrivateFolder(paths.run);
  mkdirSync(paths.netnsFolder, { recursive: true, mode: 0o700 });
  mkdirSync(paths.fileFolder, { recursive: true, mode: 0o755 });
}

function chosenDrivers({ drivers, extraDrivers = [] }: ControllerOptions): ControllerParts["drivers"] {
  const names = nativeDriverNames.filter((name) => drivers === undefined || drivers[name] !== undefined);
  return [...names, ...extraDrivers];
}

/** Names this host among others, for its unique local addresses. */
function hostId(): string {
  const file = "/etc/machine-id";
  const id = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  return id === "" ? hostname() : id;
}

/** Removes the store and the lock, and the root folder when nothing else is in it. */
function removeRoot(paths: Paths): void {
  rmSync(paths.store, { recursive: true, force: true });
  rmSync(paths.lock, { force: true });
  try {
    rmdirSync(paths.root);
  } catch {
    // Somebody keeps other files there.
  }
}
