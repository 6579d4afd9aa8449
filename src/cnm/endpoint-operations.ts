import {
  addressPart,
  type Family,
  familyOf,
  type Id,
  type MacAddress,
  newId,
  parseIpv4,
  parseIpv6,
  parseMac,
  randomMac,
  runAll,
  WeftError,
} from "../core/index.ts";
import type { Driver, EndpointAnswer } from "../drivers/index.ts";
import {
  eraseLease,
  type Lease,
  macAddressOption,
  requestEndpointAddress,
  writeLease,
} from "../ipam/index.ts";
import type { Transaction } from "../store/index.ts";
import { allocateOrWait, type Context, driverOf, ipamDriverOf, networkOf } from "./context.ts";
import { driverEndpoint, driverNetwork } from "./driver-views.ts";
import { checkName } from "./names.ts";
import { endpointOwner, networkOwner } from "./plans.ts";
import type { AddressRecord, EndpointRecord, NetworkRecord } from "./records.ts";

/** How an endpoint is to be; everything may be left out. */
export interface EndpointOptions {
  /** The IPv4 address to have; a free one is taken without. */
  readonly ipv4Address?: string;
  readonly ipv6Address?: string;
  /** A random one without. */
  readonly macAddress?: string;
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
    const prepared = await prepareEndpoint(context, networkOf(context, networkId), name, options);
    try {
      await context.store.transact((transaction) => prepared.write(transaction, prepared.record));
    } catch (error) {
      await prepared.giveUp();
      throw error;
    }
    context.tables.setEndpoint(prepared.record);
    return prepared.record;
  });
}

/** An endpoint with its allocations, not recorded yet. */
export interface PreparedEndpoint {
  readonly record: EndpointRecord;
  /** Writes the record and its leases into a transaction. */
  readonly write: (transaction: Transaction, record: EndpointRecord) => void;
  /** Gives everything back, when it could not be recorded or used; told as an event when that fails. */
  readonly giveUp: () => Promise<void>;
}

/** Checks and allocates an endpoint; the network's lock is held. */
export async function prepareEndpoint(
  context: Context,
  network: NetworkRecord,
  name: string,
  options: EndpointOptions,
): Promise<PreparedEndpoint> {
  options.signal?.throwIfAborted();
  checkName("endpoint", name);
  for (const alias of options.aliases ?? []) checkName("alias", alias);
  const driver = driverOf(context, network.driver);
  const wanted = wantedAddresses(network, options);
  const macAddress = options.macAddress === undefined ? undefined : parseMac(options.macAddress);
  const id = newId(context.random);
  context.tables.claimEndpointName(network, name, id);
  const taken: AddressRecord[] = [];
  let record: EndpointRecord = {
    id,
    network: network.id,
    name,
    state: "ready",
    addresses: taken,
    macAddress: macAddress ?? (driver.capabilities.needsAddresses ? randomMac(context.random) : undefined),
    aliases: [...(options.aliases ?? [])],
    options: { ...options.options },
  };
  let called = false;
  const giveUp = () =>
    runAll(`endpoint ${name}`, [
      () => context.tables.freeEndpointName(network.id, name),
      () => (called ? driver.deleteEndpoint(driverNetwork(network), driverEndpoint(record)) : undefined),
      () => releaseAddresses(context, network, taken),
    ]).catch((error: unknown) =>
      context.events.emit({ event: "removal-failed", what: endpointOwner(id), error }),
    );
  try {
    for (const [family, preferred] of wanted) {
      const address = await allocateOrWait(context, () =>
        takeAddress(context, network, family, preferred, record.macAddress, options.signal),
      );
      if (address !== undefined) taken.push(address);
    }
    called = true;
    const answer = await driver.createEndpoint(
      driverNetwork(network),
      driverEndpoint(record),
      options.signal,
    );
    record = { ...record, ...merged(driver, record, answer) };
    const final = record;
    return {
      record: final,
      write: (transaction, one) => writeEndpoint(context, transaction, network, one),
      giveUp,
    };
  } catch (error) {
    await giveUp();
    throw error;
  }
}

function wantedAddresses(network: NetworkRecord, options: EndpointOptions) {
  const wanted: [Family, ReturnType<typeof parseIpv4> | ReturnType<typeof parseIpv6> | undefined][] = [];
  const refuse = (family: Family, address: string) => {
    throw new WeftError(
      "INVALID_IPAM_CONFIG",
      `invalid address ${address}: network ${network.name} has no IPv${family}`,
    );
  };
  const { ipv4Address, ipv6Address } = options;
  if (network.ipv4) wanted.push([4, ipv4Address === undefined ? undefined : parseIpv4(ipv4Address)]);
  else if (ipv4Address !== undefined) refuse(4, ipv4Address);
  if (network.ipv6) wanted.push([6, ipv6Address === undefined ? undefined : parseIpv6(ipv6Address)]);
  else if (ipv6Address !== undefined) refuse(6, ipv6Address);
  return wanted;
}

async function takeAddress(
  context: Context,
  network: NetworkRecord,
  family: Family,
  preferred: ReturnType<typeof parseIpv4> | ReturnType<typeof parseIpv6> | undefined,
  mac: MacAddress | undefined,
  signal: AbortSignal | undefined,
): Promise<AddressRecord | undefined> {
  const ipam = ipamDriverOf(context, network.ipamDriver);
  const withMac =
    ipam.capabilities.requiresMacAddress && mac !== undefined ? { [macAddressOption]: mac } : {};
  const { poolId, address } = await requestEndpointAddress(
    ipam,
    {
      network,
      pools: network.pools,
      family,
      ...(preferred === undefined ? {} : { preferred }),
      options: { ...network.ipamOptions, ...withMac },
    },
    signal,
  );
  return address === undefined ? undefined : { poolId, address };
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

/** Writes an endpoint's record and the leases of its addresses. */
export function writeEndpoint(
  { tables }: Context,
  transaction: Transaction,
  network: NetworkRecord,
  record: EndpointRecord,
): void {
  tables.endpoints.put(transaction, record);
  for (const lease of leasesOfEndpoint(network, record)) writeLease(transaction, lease);
}

/** Removes an endpoint's record and its leases. */
export function eraseEndpoint(
  { tables }: Context,
  transaction: Transaction,
  network: NetworkRecord,
  record: EndpointRecord,
): void {
  tables.endpoints.delete(transaction, record.id);
  for (const lease of leasesOfEndpoint(network, record)) eraseLease(transaction, lease);
}

function leasesOfEndpoint({ ipamDriver }: NetworkRecord, { id, addresses }: EndpointRecord): Lease[] {
  return addresses
    .filter(({ poolId }) => poolId !== "") // a driver's own address is not weft's to lease
    .map(({ poolId, address }) => ({
      driver: ipamDriver,
      poolId,
      address: addressPart(address),
      owner: id,
      kind: "endpoint",
    }));
}

/** Gives addresses back to IPAM, going on past errors. */
export async function releaseAddresses(
  context: Context,
  network: NetworkRecord,
  addresses: readonly AddressRecord[],
): Promise<void> {
  const ipam = ipamDriverOf(context, network.ipamDriver);
  await runAll(
    "release of addresses",
    addresses
      .filter(({ poolId }) => poolId !== "")
      .map(
        ({ poolId, address }) =>
          () =>
            ipam.releaseAddress(poolId, addressPart(address)),
      ),
  );
}

/** Deletes an endpoint that is in no sandbox. Throws ENDPOINT_NOT_FOUND, ENDPOINT_JOINED. */
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
    const deleting: EndpointRecord = { ...record, state: "deleting" };
    await context.store.transact((transaction) => context.tables.endpoints.put(transaction, deleting));
    context.tables.setEndpoint(deleting);
    context.tables.freeEndpointName(record.network, record.name);
    context.background.start(endpointOwner(record.id), () => finishEndpoint(context, record.id));
  });
}

/** Ends a deletion: nothing of the endpoint is in the kernel any more, so its addresses are free. */
export async function finishEndpoint(context: Context, id: Id): Promise<void> {
  const record = context.tables.endpoints.get(id);
  const network = record === undefined ? undefined : context.tables.networks.get(record.network);
  if (record === undefined || network === undefined) return;
  await driverOf(context, network.driver).deleteEndpoint(driverNetwork(network), driverEndpoint(record));
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
