import { containsPrefix, defaultPrefix, overlaps, type Prefix, runAll, WeftError } from "../core/index.ts";
import type { IpamDriver, IpamOptions, PoolLease } from "./ipam-driver.ts";
import { isAnyOfSize, type PoolConfig } from "./network-config.ts";
import { rollBack } from "./roll-back.ts";

/** How often a driver that does not know the reserved prefixes is asked for another pool. */
const maxPoolAttempts = 256;

/** What the choice of a network's pools depends on besides each pool's own configuration. */
export interface PoolChoice {
  readonly addressSpace: string;
  /** The network's IPAM options; handed to the driver with each pool. */
  readonly options: IpamOptions;
  /** Prefixes of the host (on-link routes, name servers) that a pool of the driver's choice must avoid. */
  readonly reserved: readonly Prefix[];
}

/**
 * A pool; one of the driver's choice does not overlap what the host has in use. The builtin driver sees to
 * that itself. A plugin is not told of it, so pools that overlap are kept while others are asked for, lest
 * the same come again, and are given back at the end.
 */
export async function requestPool(
  driver: IpamDriver,
  request: PoolChoice,
  config: PoolConfig,
  signal: AbortSignal | undefined,
): Promise<PoolLease> {
  const wanted = poolRequest(request, config);
  const dynamic = config.subnet === undefined || isAnyOfSize(config.subnet);
  const local = request.addressSpace === driver.defaultAddressSpaces.local;
  const unfit: PoolLease[] = [];
  const giveBack = (leases: readonly PoolLease[]) => releasePools(driver, leases);
  let lease: PoolLease;
  try {
    lease = await driver.requestPool(wanted, signal);
    while (dynamic && local && isInUse(lease.pool, request.reserved)) {
      unfit.push(lease);
      if (unfit.length === maxPoolAttempts) {
        const message = `ipam driver ${driver.name} gave ${maxPoolAttempts} pools that overlap networks of the host`;
        throw new WeftError("DRIVER_ANSWER", message);
      }
      lease = await driver.requestPool(wanted, signal);
    }
  } catch (error) {
    return await rollBack(error, () => giveBack(unfit));
  }
  try {
    await giveBack(unfit);
    return lease;
  } catch (error) {
    return await rollBack(error, () => giveBack([lease]));
  }
}

function releasePools(driver: IpamDriver, leases: readonly PoolLease[]): Promise<void> {
  const steps = leases.map((lease) => () => driver.releasePool(lease.poolId));
  return runAll("release of overlapping pools", steps);
}

function poolRequest({ addressSpace, options, reserved }: PoolChoice, config: PoolConfig) {
  return {
    addressSpace,
    options,
    exclude: reserved,
    family: config.family,
    ...(config.subnet === undefined ? {} : { pool: config.subnet }),
    ...(config.ipRange === undefined ? {} : { subPool: config.ipRange }),
  };
}

function isInUse(pool: Prefix, reserved: readonly Prefix[]): boolean {
  const everything = containsPrefix(pool, defaultPrefix(4)) || containsPrefix(pool, defaultPrefix(6));
  return !everything && reserved.some((prefix) => overlaps(pool, prefix));
}
