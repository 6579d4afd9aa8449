import { familyOf, type Id, newId, parseMac, randomMac, WeftError } from "../core/index.ts";
import type { Driver, EndpointAnswer } from "../drivers/index.ts";
import { allocateOrWait, type Context, driverOf, networkOf, refuseIfAborted } from "./context.ts";
import { callDriver, checkedEndpointAnswer } from "./driver-calls.ts";
import { driverEndpoint, driverNetwork } from "./driver-views.ts";
import {
  eraseEndpoint,
  releaseAddresses,
  takeAddress,
  wantedAddresses,
  writeEndpoint,
} from "./endpoint-addresses.ts";
import { checkEndpointOptions, linkLocalAddresses } from "./endpoint-options.ts";
import { checkName } from "./names.ts";
import { endpointOwner, networkOwner } from "./plans.ts";
import type { EndpointRecord, NetworkRecord } from "./records.ts";

/** How an endpoint is to be; everything may be left out. */
export interface EndpointOptions {
  /** The IPv4 address to have; a free one is taken without. */
  readonly ipv4Address?: string;
  readonly ipv6Address?: string;
  /** A random one without. */
  readonly macAddress?: string;
  /** Addresses of the link alone (169.254.0.0/16, fe80::/64) to have besides. */
  readonly linkLocalAddresses?: readonly string[];
  /** Further names by which others in the network find it. */
  readonly aliases?: readonly string[];
  /** Driver options by their full names. */
  readonly options?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Makes an endpoint: it has its addresses from now on, and no interface until it joins a sandbox.
 * Throws INVALID_NAME, ENDPOINT_EXISTS, ADDRESS_IN_USE and what IPAM and the driver refuse.
 */
export function createEndpoint(
  context: Context,
  networkId: Id,
  name: string,
  options: EndpointOptions,
): Promise<EndpointRecord> {
  return context.locks.run(networkOwner(networkId), async () => {
    const network = networkOf(context, networkId);
    const prepared = await prepareEndpoint(context, network, name, options);
    const ready: EndpointRecord = { ...prepared.record, state: "ready" };
    try {
      await context.store.transact((transaction) => writeEndpoint(context, transaction, network, ready));
    } catch (error) {
      await prepared.giveUp();
      throw error;
    }
    context.tables.setEndpoint(ready);
    return ready;
  });
}

/** An endpoint with its allocations; recorded only when its driver does work elsewhere. */
export interface PreparedEndpoint {
  readonly record: EndpointRecord;
  /** Gives everything back, when it could not be recorded or used; told as an event when that fails. */
  readonly giveUp: () => Promise<void>;
}

/**
 * Refuses what cannot be before anything is asked for or written. Throws INVALID_NAME, INVALID_OPTION, INVALID_ADDRESS,
 * INVALID_MAC, UNKNOWN_OPTION, NETWORK_CONFIG, ADDRESS_IN_USE.
 */
export function checkEndpoint(
  context: Context,
  network: NetworkRecord,
  name: string,
  options: EndpointOptions,
) {
  checkName("endpoint", name);
  for (const alias of options.aliases ?? []) checkName("alias", alias);
  if (network.predefined === true) refuseOnPredefined(options);
  refuseConfigOnly(network);
  checkEndpointOptions(driverOf(context, network.driver), options.options ?? {});
  return {
    linkLocal: linkLocalAddresses(context.tables, network, options.linkLocalAddresses ?? []),
    wanted: wantedAddresses(network, options),
    macAddress: options.macAddress === undefined ? undefined : parseMac(options.macAddress),
  };
}

/** Checks and allocates an endpoint, and has its driver make it; the network's lock is held. */
async function prepareEndpoint(
  context: Context,
  network: NetworkRecord,
  name: string,
  options: EndpointOptions,
): Promise<PreparedEndpoint> {
  const allocated = await allocateEndpoint(context, network, name, options);
  return completeEndpoint(context, network, allocated, options.signal);
}

/**
 * Checks an endpoint and takes its name and its addresses; the network's lock is held. Nothing is recorded, and the driver
 * is not asked. Until {@link completeEndpoint} or {@link giveUpEndpoint} the network cannot be deleted.
 */
export async function allocateEndpoint(
  context: Context,
  network: NetworkRecord,
  name: string,
  options: EndpointOptions,
): Promise<EndpointRecord> {
  refuseIfAborted(options.signal);
  const { linkLocal, wanted, macAddress } = checkEndpoint(context, network, name, options);
  const driver = driverOf(context, network.driver);
  await refuseBeyondLimit(context, network, driver);
  const id = newId(context.random);
  context.tables.claimEndpointName(network, name, id);
  let record: EndpointRecord = {
    id,
    network: network.id,
    name,
    state: "creating",
    addresses: [],
    ...(linkLocal.length === 0 ? {} : { linkLocal }),
    macAddress: macAddress ?? (hasOwnMac(driver, network) ? randomMac(context.random) : undefined),
    aliases: [...(options.aliases ?? [])],
    options: { ...options.options },
  };
  try {
    for (const [family, preferred] of wanted) {
      const address = await allocateOrWait(context, () =>
        takeAddress(context, network, family, preferred, record.macAddress, options.signal),
      );
      if (address !== undefined) record = { ...record, addresses: [...record.addresses, address] };
    }
    return record;
  } catch (error) {
    await giveUpEndpoint(context, network, record);
    throw error;
  }
}

/** Has the driver make an endpoint that was allocated; the network's lock is held. When it rejects, all was given back. */
export async function completeEndpoint(
  context: Context,
  network: NetworkRecord,
  allocated: EndpointRecord,
  signal: AbortSignal | undefined,
): Promise<PreparedEndpoint> {
  const driver = driverOf(context, network.driver);
  let record = allocated;
  let called = false;
  const giveUp = () => giveUpEndpoint(context, network, record, called);
  try {
    if (driver.capabilities.imperative)
      await context.store.transact((transaction) => writeEndpoint(context, transaction, network, allocated));
    called = true;
    const answer = await callDriver(
      driver,
      "createEndpoint",
      () => driver.createEndpoint(driverNetwork(network), driverEndpoint(allocated), signal),
      signal,
    );
    record = { ...record, ...merged(driver, record, checkedEndpointAnswer(driver, answer)) };
    return { record, giveUp };
  } catch (error) {
    await giveUp();
    throw error;
  }
}

function hasOwnMac(driver: Driver, network: NetworkRecord): boolean {
  return driver.capabilities.needsAddresses && driver.sharesMac?.(driverNetwork(network)) !== true;
}

/** Throws NETWORK_FULL when the network has as many endpoints as it can; waits for those that are on their way out. */
async function refuseBeyondLimit(
  { tables, background }: Context,
  network: NetworkRecord,
  driver: Driver,
): Promise<void> {
  const limit = driver.endpointLimit?.(driverNetwork(network));
  if (limit === undefined) return;
  for (const { id, network: its, state } of [...tables.endpoints.all()])
    if (its === network.id && state === "deleting") await background.settled(endpointOwner(id));
  const there = [...tables.endpointsOf(network.id).keys()];
  if (there.length < limit) return;
  throw new WeftError(
    "NETWORK_FULL",
    `network ${network.name} has all the endpoints it can have, which is ${limit}: ${there.join(", ")}`,
  );
}

/** Throws NETWORK_CONFIG when nobody can be on the network. */
export function refuseConfigOnly({ configOnly }: NetworkRecord): void {
  if (configOnly)
    throw new WeftError("NETWORK_CONFIG", "cannot create endpoint on configuration-only network");
}

/** What Docker has on networks of its users' making alone. Throws INVALID_OPTION. */
function refuseOnPredefined({ ipv4Address, ipv6Address, aliases = [] }: EndpointOptions): void {
  if (ipv4Address !== undefined || ipv6Address !== undefined)
    throw new WeftError(
      "INVALID_OPTION",
      "user-specified IP address is supported on user-defined networks only",
    );
  if (aliases.length > 0)
    throw new WeftError(
      "INVALID_OPTION",
      "network-scoped aliases are only supported for user-defined networks",
    );
}

/**
 * Takes back an endpoint that could not be made, of which the driver knows if it was `called`. What cannot be
 * taken back stays recorded as one that is being deleted, which a repair or the next start ends.
 */
export async function giveUpEndpoint(
  context: Context,
  network: NetworkRecord,
  record: EndpointRecord,
  called = false,
): Promise<void> {
  const { tables, store, background } = context;
  const owner = endpointOwner(record.id);
  tables.freeEndpointName(network.id, record.name);
  background.start(owner, async () => {
    if (!called) {
      await releaseAddresses(context, network, record.addresses);
      return;
    }
    // A join that could not be taken back either is in the tables.
    const { join } = tables.endpoints.get(record.id) ?? record;
    const deleting: EndpointRecord = { ...record, join, state: "deleting" };
    tables.setEndpoint(deleting);
    await store.transact((transaction) => {
      if (tables.endpoints.isIn(transaction, record.id)) tables.endpoints.put(transaction, deleting);
    });
    await finishEndpoint(context, record.id);
  });
  await background.settled(owner);
}

/** What the driver filled in. Throws DRIVER_ANSWER when it changed what was given to it. */
function merged(
  driver: Driver,
  record: EndpointRecord,
  answer: EndpointAnswer,
): Pick<EndpointRecord, "addresses" | "macAddress"> {
  const refuse = (what: string, given: unknown, answered: unknown) => {
    throw new WeftError(
      "DRIVER_ANSWER",
      `driver ${driver.name} modified interface ${what}: ${String(given)} became ${String(answered)}`,
    );
  };
  if (
    answer.macAddress !== undefined &&
    record.macAddress !== undefined &&
    answer.macAddress !== record.macAddress
  ) {
    refuse("MAC address", record.macAddress, answer.macAddress);
  }
  const addresses = [...record.addresses];
  for (const address of answer.addresses ?? []) {
    const given = record.addresses.find((one) => familyOf(one.address) === familyOf(address));
    if (given === undefined) addresses.push({ poolId: "", address });
    else if (given.address !== address) refuse("address", given.address, address);
  }
  return { addresses, macAddress: record.macAddress ?? answer.macAddress };
}

/**
 * Deletes an endpoint that is in no sandbox. There is no giving it up: a deletion that is recorded is carried
 * out, by the next start if need be. Throws ENDPOINT_NOT_FOUND, ENDPOINT_JOINED.
 */
export function deleteEndpoint(
  context: Context,
  endpoint: Pick<EndpointRecord, "id" | "network">,
): Promise<void> {
  return context.locks.run(networkOwner(endpoint.network), async () => {
    const record = endpointOf(context, endpoint.id);
    if (record.join !== undefined && record.join.leaving !== true) {
      const sandbox = context.tables.sandboxes.get(record.join.sandbox);
      throw new WeftError(
        "ENDPOINT_JOINED",
        `endpoint with name ${record.name} id ${record.id} has active containers (${sandbox?.containerId ?? record.join.sandbox})`,
      );
    }
    // The end of a leave may write the record meanwhile: each changes its own part of what is there then.
    const deleted = (one: EndpointRecord): EndpointRecord => ({ ...one, state: "deleting" });
    await context.store.transact((transaction) =>
      context.tables.endpoints.change(transaction, record.id, deleted),
    );
    context.tables.setEndpoint(deleted(context.tables.endpoints.get(record.id) ?? record));
    context.tables.freeEndpointName(record.network, record.name);
    context.background.start(endpointOwner(record.id), () => finishEndpoint(context, record.id));
  });
}

/** Ends a deletion: nothing of the endpoint is in the kernel any more, so its addresses are free. */
export async function finishEndpoint(context: Context, id: Id): Promise<void> {
  const record = context.tables.endpoints.get(id);
  const network = record === undefined ? undefined : context.tables.networks.get(record.network);
  if (record === undefined || network === undefined) return;
  if (record.join !== undefined) {
    throw new WeftError(
      "ENDPOINT_JOINED",
      `endpoint ${record.name} keeps its addresses: its interface was not removed`,
    );
  }
  const driver = driverOf(context, network.driver);
  await callDriver(driver, "deleteEndpoint", () =>
    driver.deleteEndpoint(driverNetwork(network), driverEndpoint(record)),
  );
  await context.store.transact((transaction) => eraseEndpoint(context, transaction, network, record));
  context.tables.removeEndpoint(id);
  await releaseAddresses(context, network, record.addresses);
}

/** The endpoint of that id. Throws ENDPOINT_NOT_FOUND when it is not there or on its way out. */
export function endpointOf({ tables }: Context, id: Id): EndpointRecord {
  const endpoint = tables.endpoints.get(id);
  if (endpoint === undefined || endpoint.state === "deleting")
    throw new WeftError("ENDPOINT_NOT_FOUND", `endpoint ${id} not found`);
  return endpoint;
}
