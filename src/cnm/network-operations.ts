import { type Id, newId, WeftError } from "../core/index.ts";
import { bridgeOption, type Driver } from "../drivers/index.ts";
import { nameserverPrefixes, parseResolvConf } from "../facts/index.ts";
import {
  type AllocatedPool,
  allocateNetwork,
  eraseLease,
  networkLeases,
  parseNetworkConfig,
  releaseNetwork,
  writeLease,
} from "../ipam/index.ts";
import { nativeDriversLock } from "./changed-facts.ts";
import { createConfigNetwork, eraseConfigNetwork, withConfig } from "./config-networks.ts";
import { checkProbeOption, refuseHeldHostAddresses } from "./conflict-probe.ts";
import {
  allocateOrWait,
  type Context,
  driverOf,
  ipamDriverOf,
  networkOf,
  refuseIfAborted,
  removedAfter,
  staysInKernel,
  takeDown,
} from "./context.ts";
import { callDriver, checkedNetworkAnswer } from "./driver-calls.ts";
import { driverNetwork } from "./driver-views.ts";
import { checkName } from "./names.ts";
import type { NetworkOptions } from "./network-options.ts";
import { scopeOf } from "./network-scope.ts";
import { followFirewalls } from "./other-firewalls.ts";
import { networkOwner, planNetwork } from "./plans.ts";
import type { NetworkRecord } from "./records.ts";

/** What weft's own networks have besides. */
export type OwnNetwork = Pick<NetworkRecord, "predefined" | "settings">;

/**
 * Makes a network: validate, allocate, commit, apply. Throws INVALID_NAME, INVALID_OPTION,
 * INVALID_IPAM_CONFIG, DRIVER_NOT_FOUND, NETWORK_EXISTS, NETWORK_PREDEFINED, POOL_OVERLAP and what drivers and
 * the kernel refuse; then nothing of it is left.
 */
export async function createNetwork(
  context: Context,
  driverName: string,
  name: string,
  options: NetworkOptions,
): Promise<NetworkRecord> {
  refuseIfAborted(options.signal);
  checkName("network", name);
  refusePredefined(context, name, options);
  if (options.configOnly === true) return createConfigNetwork(context, name, options);
  if (options.configFrom === undefined) {
    const all = { ...context.defaultNetworkOptions[driverName], ...options.options };
    return makeNetwork(context, driverName, name, { ...options, options: all });
  }
  return withConfig(context, options, (complete) => makeNetwork(context, driverName, name, complete));
}

/** {@link createNetwork} for a name that was checked. */
export async function makeNetwork(
  context: Context,
  driverName: string,
  name: string,
  options: NetworkOptions,
  own: OwnNetwork = {},
): Promise<NetworkRecord> {
  const driver = driverOf(context, driverName);
  const scope = scopeOf(driver, options.scope);
  const draft = { ...draftNetwork(context, driver, name, options), scope, ...own };
  checkProbeOption(driver, draft.options);
  const { skipGateway, internal = draft.internal } = driver.checkNetwork(driverNetwork(draft));
  context.tables.claimNetworkName(name, draft.id);
  try {
    return await context.locks.run(networkOwner(draft.id), () =>
      build(context, driver, { ...draft, internal }, { ...options, skipGateway }),
    );
  } catch (error) {
    context.tables.freeNetworkName(name);
    throw error;
  }
}

/** Names that are weft's own from when it has made `host`, with which it begins. Throws NETWORK_PREDEFINED, INVALID_OPTION. */
function refusePredefined({ tables }: Context, name: string, { options = {} }: NetworkOptions): void {
  if (["bridge", "default", "host", "none"].includes(name) && tables.predefined("host") !== undefined) {
    throw new WeftError("NETWORK_PREDEFINED", `operation is not permitted on predefined ${name} network`);
  }
  if (options[bridgeOption.defaultBridge] === undefined) return;
  throw new WeftError(
    "INVALID_OPTION",
    `invalid option ${bridgeOption.defaultBridge}: weft's own network bridge alone has it`,
  );
}

function draftNetwork(
  context: Context,
  driver: Driver,
  name: string,
  options: NetworkOptions,
): Omit<NetworkRecord, "scope"> {
  const needsAddresses = driver.capabilities.needsAddresses;
  return {
    id: newId(context.random),
    name,
    driver: driver.name,
    state: "creating",
    created: context.clock.now(),
    attachable: options.attachable ?? false,
    configOnly: false,
    configFrom: options.configFrom,
    internal: options.internal ?? false,
    ipv4: needsAddresses && (options.ipv4 ?? true),
    ipv6: needsAddresses && (options.ipv6 ?? false),
    options: { ...options.options },
    labels: { ...options.labels },
    ipamDriver: needsAddresses ? (options.ipam?.driver ?? "default") : "null",
    ipamOptions: { ...options.ipam?.options },
    pools: [],
  };
}

type BuildOptions = NetworkOptions & { readonly skipGateway: readonly (4 | 6)[] };

async function build(
  context: Context,
  driver: Driver,
  draft: NetworkRecord,
  options: BuildOptions,
): Promise<NetworkRecord> {
  const pools = driver.capabilities.needsAddresses ? await allocate(context, draft, options) : [];
  let network: NetworkRecord = { ...draft, pools };
  let recorded = false;
  try {
    if (driver.capabilities.imperative) {
      await commit(context, network);
      recorded = true;
    }
    network = await askDriver(context, driver, network, options.signal);
    await refuseHeldHostAddresses(context, driver, network, options.signal);
    await commit(context, network);
    recorded = true;
    await context.reconciler.change(new Map([[networkOwner(network.id), planNetwork(driver, network)]]));
  } catch (error) {
    await giveUp(context, driver, network, recorded, error);
    throw error;
  }
  const ready: NetworkRecord = { ...network, state: "ready" };
  context.tables.networks.set(ready);
  context.store.later((transaction) => context.tables.networks.putReady(transaction, ready.id));
  await followFirewalls(context);
  return ready;
}

/**
 * Has the driver make the network. A driver in this process looks at its other networks, answers, and its
 * answer is known, all before the next one is asked for: two that cannot both be never both are.
 */
function askDriver(
  context: Context,
  driver: Driver,
  network: NetworkRecord,
  signal: AbortSignal | undefined,
): Promise<NetworkRecord> {
  const ask = async () => {
    const others = [...context.tables.networks.all()].filter(
      (other) => other.driver === driver.name && other.id !== network.id && !other.configOnly,
    );
    refuseSecond(driver, others);
    const view = driverNetwork(network);
    const answer = await callDriver(
      driver,
      "createNetwork",
      () => driver.createNetwork(view, others.map(driverNetwork), signal),
      signal,
    );
    const answered = { ...network, answer: checkedNetworkAnswer(driver, answer) };
    context.tables.networks.set(answered);
    return answered;
  };
  if (driver.capabilities.imperative) return ask();
  // One of all drivers at a time: networks of two may want one link of the host.
  return allocateOrWait(context, () => context.locks.run(nativeDriversLock, ask));
}

function refuseSecond({ name, capabilities }: Driver, others: readonly NetworkRecord[]): void {
  if (capabilities.single && others.some(({ state }) => state !== "deleting"))
    throw new WeftError("NETWORK_PREDEFINED", `only one instance of "${name}" network is allowed`);
}

function allocate(
  context: Context,
  draft: NetworkRecord,
  options: BuildOptions,
): Promise<readonly AllocatedPool[]> {
  const ipam = ipamDriverOf(context, draft.ipamDriver);
  const pools = parseNetworkConfig({
    enableIpv4: draft.ipv4,
    enableIpv6: draft.ipv6,
    subnets: options.ipam?.subnets ?? [],
  });
  const nameservers = parseResolvConf(context.facts.resolvConf()).nameservers.map(({ address }) => address);
  return allocateOrWait(context, () =>
    allocateNetwork(
      ipam,
      {
        pools,
        skipGateway: options.skipGateway,
        addressSpace: ipam.defaultAddressSpaces.local,
        options: draft.ipamOptions,
        reserved: [...context.facts.onLinkPrefixes(), ...nameserverPrefixes(nameservers)],
      },
      options.signal,
    ),
  );
}

function commit({ store, tables }: Context, network: NetworkRecord): Promise<void> {
  return store.transact((transaction) => {
    tables.networks.put(transaction, network);
    for (const lease of networkLeases(network.ipamDriver, network.id, network.pools))
      writeLease(transaction, lease);
  });
}

/**
 * Takes back a network that could not be made. What goes wrong here is told as an event, for the caller
 * hears why it could not be made; what is recorded is then tried again by a repair or the next start.
 */
async function giveUp(
  context: Context,
  driver: Driver,
  network: NetworkRecord,
  recorded: boolean,
  why: unknown,
): Promise<void> {
  const { tables, store, background } = context;
  const owner = networkOwner(network.id);
  const deleting: NetworkRecord = { ...network, state: "deleting" };
  background.start(owner, async () => {
    if (recorded) {
      tables.networks.set(deleting);
      await store.transact((transaction) => tables.networks.put(transaction, deleting));
    }
    // Its addresses are not free while the kernel holds a part of it; a repair or the next start removes that.
    if (staysInKernel(why)) throw why;
    if (recorded || !driver.capabilities.imperative) await finishDeletion(context, deleting);
    else await releaseNetwork(ipamDriverOf(context, network.ipamDriver), network.pools);
  });
  await background.settled(owner);
}

function erase({ store, tables }: Context, network: NetworkRecord): Promise<void> {
  return store.transact((transaction) => {
    tables.networks.delete(transaction, network.id);
    for (const lease of networkLeases(network.ipamDriver, network.id, network.pools))
      eraseLease(transaction, lease);
  });
}

/**
 * Deletes a network: it is gone for everybody when this resolves; what it had in the kernel is removed
 * in the background, and only then its addresses are free. There is no giving it up: a deletion that is
 * recorded is carried out, by the next start if need be. Throws NETWORK_NOT_FOUND, NETWORK_HAS_ENDPOINTS, and
 * NETWORK_PREDEFINED for one of weft's own, unless it is `ours` to say.
 */
export function deleteNetwork(
  context: Context,
  network: Pick<NetworkRecord, "id">,
  ours = false,
): Promise<void> {
  return context.locks.run(networkOwner(network.id), async () => {
    const record = networkOf(context, network.id);
    if (record.predefined === true && !ours) {
      throw new WeftError(
        "NETWORK_PREDEFINED",
        `${record.name} is a pre-defined network and cannot be removed`,
      );
    }
    if (record.configOnly) return eraseConfigNetwork(context, record);
    refuseWhileUsed(context, record);
    const deleting: NetworkRecord = { ...record, state: "deleting" };
    await context.store.transact((transaction) => context.tables.networks.put(transaction, deleting));
    context.tables.networks.set(deleting);
    context.tables.freeNetworkName(record.name);
    const takenDown = takeDown(context, new Map([[networkOwner(record.id), []]]));
    const followed = takenDown.then(() => followFirewalls(context));
    endNetwork(context, record.id, removedAfter(followed, takenDown));
    await followed;
  });
}

/**
 * Ends in the background the deletion of a network. `removed` resolves when it is out of the kernel. From here
 * on somebody works on it.
 */
export function endNetwork(context: Context, id: Id, removed: Promise<void>): void {
  context.background.start(networkOwner(id), async () => {
    await removed;
    const network = context.tables.networks.get(id);
    if (network !== undefined) await finishDeletion(context, network);
  });
}

/** Once nothing of a network is left in the kernel, its addresses are free. */
async function finishDeletion(context: Context, network: NetworkRecord): Promise<void> {
  // Endpoints deleted just before may still be on their way out of this network's pools.
  for (const endpoint of context.tables.endpoints.all()) {
    if (endpoint.network === network.id) await context.background.settled(`endpoint:${endpoint.id}`);
  }
  const left = [...context.tables.endpoints.all()].filter((endpoint) => endpoint.network === network.id);
  if (left.length > 0) {
    const names = left.map(({ name }) => name).join(", ");
    throw new WeftError("NETWORK_HAS_ENDPOINTS", `endpoints of network ${network.name} remain: ${names}`);
  }
  const driver = driverOf(context, network.driver);
  await callDriver(driver, "deleteNetwork", () => driver.deleteNetwork(driverNetwork(network)));
  await erase(context, network);
  context.tables.networks.remove(network.id);
  await releaseNetwork(ipamDriverOf(context, network.ipamDriver), network.pools);
}

function refuseWhileUsed({ tables }: Context, network: NetworkRecord): void {
  const endpoints = [...tables.endpointsOf(network.id)];
  if (endpoints.length === 0) return;
  const list = endpoints
    .map(([name, id]) => `name:${JSON.stringify(name)} id:"${id.slice(0, 12)}"`)
    .join(", ");
  throw new WeftError("NETWORK_HAS_ENDPOINTS", `network ${network.name} has active endpoints (${list})`);
}
