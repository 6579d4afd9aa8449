import {
  addressPart,
  contains,
  type Family,
  type InterfaceAddress,
  type IpAddress,
  interfaceAddress,
  isWeftError,
  lengthOf,
  messageOf,
  type Prefix,
  parseInterfaceAddress,
  runAll,
  WeftError,
} from "../core/index.ts";
import {
  gatewayOption,
  type IpamDriver,
  type PoolId,
  type PoolLease,
  requestAddressTypeOption,
} from "./ipam-driver.ts";
import type { Lease, LeaseKind } from "./ledger.ts";
import type { PoolConfig } from "./network-config.ts";
import { type PoolChoice, requestPool } from "./pool-choice.ts";
import { rollBack } from "./roll-back.ts";

/** An address that a network itself holds, to be recorded in the ledger and released with the pool. */
export interface NetworkLease {
  readonly address: IpAddress;
  readonly kind: Exclude<LeaseKind, "endpoint">;
}

/** A pool that a network holds. It can be stored as JSON, and is all that {@link releaseNetwork} needs. */
export interface AllocatedPool {
  readonly family: Family;
  readonly addressSpace: string;
  readonly poolId: PoolId;
  readonly pool: Prefix;
  /** Undefined when the network asked for none, or the driver has none to give. */
  readonly gateway: InterfaceAddress | undefined;
  readonly auxAddresses: Readonly<Record<string, InterfaceAddress>>;
  /** What the driver answered besides. */
  readonly data: Readonly<Record<string, string>>;
  /** The addresses above that the driver holds for the network; an auxiliary address out of its range is none. */
  readonly leases: readonly NetworkLease[];
}

/** What {@link allocateNetwork} is to allocate. */
export interface NetworkAllocationRequest extends PoolChoice {
  /** As parseNetworkConfig gives them. */
  readonly pools: readonly PoolConfig[];
  /** The families in which no gateway is taken unless the user or the IPAM driver names one. */
  readonly skipGateway: readonly Family[];
}

/**
 * Asks `driver` for all pools, gateways and auxiliary addresses of a network. When any of it fails, what
 * was given before is given back and the error is thrown. Addresses the user names are taken before one
 * is chosen for the gateway, so that a chosen one is never a named one.
 */
export async function allocateNetwork(
  driver: IpamDriver,
  request: NetworkAllocationRequest,
  signal?: AbortSignal,
): Promise<readonly AllocatedPool[]> {
  const done: AllocatedPool[] = [];
  try {
    for (const config of request.pools) done.push(await allocatePool(driver, request, config, signal));
    return done;
  } catch (error) {
    return await rollBack(error, () => releaseNetwork(driver, done));
  }
}

/**
 * Gives back what a network holds: addresses, then pools. Goes on past errors and throws them all at the
 * end. Addresses of endpoints are to be released before.
 */
export async function releaseNetwork(driver: IpamDriver, pools: readonly AllocatedPool[]): Promise<void> {
  const steps = pools.toReversed().flatMap(({ poolId, leases }) => [
    ...leases.toReversed().map(
      ({ address }) =>
        () =>
          driver.releaseAddress(poolId, address),
    ),
    () => driver.releasePool(poolId),
  ]);
  await runAll("release of the network's addresses", steps);
}

/** The ledger's entries for what a network itself holds, under the id of the network. */
export function networkLeases(
  driver: string,
  owner: string,
  pools: readonly AllocatedPool[],
): readonly Lease[] {
  return pools.flatMap(({ poolId, leases }) => leases.map((lease) => ({ driver, poolId, owner, ...lease })));
}

async function allocatePool(
  driver: IpamDriver,
  request: NetworkAllocationRequest,
  config: PoolConfig,
  signal: AbortSignal | undefined,
): Promise<AllocatedPool> {
  const lease = await requestPool(driver, request, config, signal);
  const leases: NetworkLease[] = [];
  const draft = { driver, config, lease, leases, signal };
  try {
    let gateway = await namedGateway(draft);
    const auxAddresses = await takeAuxAddresses(draft);
    if (gateway === undefined && !request.skipGateway.includes(config.family)) {
      gateway = await takeGateway(draft, undefined);
    }
    const { family } = config;
    const { poolId, pool, data } = lease;
    return { family, addressSpace: request.addressSpace, poolId, pool, gateway, auxAddresses, data, leases };
  } catch (error) {
    const partial = { ...lease, family: config.family, addressSpace: request.addressSpace, leases };
    return await rollBack(error, () =>
      releaseNetwork(driver, [{ ...partial, gateway: undefined, auxAddresses: {} }]),
    );
  }
}

interface Draft {
  readonly driver: IpamDriver;
  readonly config: PoolConfig;
  readonly lease: PoolLease;
  /** Grows with each address the driver gives. */
  readonly leases: NetworkLease[];
  readonly signal: AbortSignal | undefined;
}

/** The gateway that the user or, with the pool, the driver named. */
async function namedGateway(draft: Draft): Promise<InterfaceAddress | undefined> {
  const { config, lease, leases } = draft;
  const chosen = lease.data[gatewayOption];
  if (chosen !== undefined) {
    const gateway = readGateway(draft, chosen);
    leases.push({ address: addressPart(gateway), kind: "gateway" });
    if (config.gateway === undefined || config.gateway === addressPart(gateway)) return gateway;
  }
  return config.gateway === undefined ? undefined : await takeGateway(draft, config.gateway);
}

function readGateway({ driver, lease }: Draft, text: string): InterfaceAddress {
  try {
    return parseInterfaceAddress(text);
  } catch (error) {
    if (!isWeftError(error)) throw error;
    const message = `ipam driver ${driver.name} gave pool ${lease.pool} an invalid gateway: ${error.message}`;
    throw new WeftError("DRIVER_ANSWER", message, { cause: error });
  }
}

async function takeGateway(
  { driver, lease, leases, signal }: Draft,
  address: IpAddress | undefined,
): Promise<InterfaceAddress | undefined> {
  const options = { [requestAddressTypeOption]: gatewayOption };
  try {
    const wanted = address === undefined ? { options } : { address, options };
    const given = await driver.requestAddress(lease.poolId, wanted, signal);
    if (given.address === undefined) return undefined;
    leases.push({ address: addressPart(given.address), kind: "gateway" });
    return given.address;
  } catch (error) {
    throw explained(`failed to allocate gateway (${address ?? ""})`, error);
  }
}

async function takeAuxAddresses({
  driver,
  config,
  lease,
  leases,
  signal,
}: Draft): Promise<Readonly<Record<string, InterfaceAddress>>> {
  const taken: [string, InterfaceAddress][] = [];
  for (const [name, address] of Object.entries(config.auxAddresses)) {
    if (!contains(lease.pool, address)) {
      throw new WeftError(
        "INVALID_IPAM_CONFIG",
        `auxiliary address: (${name}:${address}) must belong to the master pool: ${lease.pool}`,
      );
    }
    taken.push([name, interfaceAddress(address, lengthOf(lease.pool))]);
    try {
      await driver.requestAddress(lease.poolId, { address, options: {} }, signal);
      leases.push({ address, kind: "aux" });
    } catch (error) {
      // An address that the driver would never give out needs no lease.
      if (isWeftError(error, "ADDRESS_OUT_OF_RANGE")) continue;
      throw explained(`failed to allocate secondary ip address (${name}:${address})`, error);
    }
  }
  return Object.fromEntries(taken);
}

/** `error` after what was being done, of the same code when it has one. */
function explained(what: string, error: unknown): WeftError {
  const code = isWeftError(error) ? error.code : "INTERNAL";
  return new WeftError(code, `${what}: ${messageOf(error)}`, { cause: error });
}
