import {
  type Family,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  interfaceAddress,
  lengthOf,
  WeftError,
} from "../../core/index.ts";
import {
  type AddressLease,
  type AddressRequest,
  type IpamAllocator,
  type PoolId,
  type PoolLease,
  type PoolRequest,
  serialOption,
} from "../ipam-driver.ts";
import type { Position } from "./address-layout.ts";
import {
  type AddressPoolConfig,
  globalAddressSpace,
  globalIpv4Pools,
  localAddressSpace,
  localIpv4Pools,
  type PredefinedPools,
  parseAddressPools,
  uniqueLocalPool,
} from "./address-spaces.ts";
import { formatPoolId, type PoolKey, parsePoolId } from "./pool-id.ts";
import { readPoolRequest } from "./pool-request.ts";
import { PoolTable, type Slice } from "./pool-table.ts";

/** How the builtin allocator is set up. */
export interface BuiltinOptions {
  /** Names this host for good; its IPv6 subnets are derived from it. */
  readonly hostId: string;
  /** Replaces the pools of LocalDefault, each family by itself when it is named here. */
  readonly localPools?: readonly AddressPoolConfig[];
  /** Replaces the pools of GlobalDefault in the same way; it has no IPv6 pool by default. */
  readonly globalPools?: readonly AddressPoolConfig[];
}

/** How full a pool is. */
export interface PoolStatus {
  /** Addresses of the whole pool that are taken, those that no interface may have included. */
  readonly inUse: bigint;
  /** Free addresses in the part that addresses are chosen from. */
  readonly available: bigint;
}

interface Lease {
  readonly key: PoolKey;
  readonly slice: Slice;
}

type Space = Readonly<Record<Family, PoolTable>>;

/**
 * The default IPAM: pools and addresses kept in memory, chosen lowest first. It forgets with the
 * process; what it gave is in the store ({@link restoreLeases}).
 */
export class BuiltinAllocator implements IpamAllocator {
  readonly name = "default";
  readonly capabilities = { requiresMacAddress: false, requiresRequestReplay: true };
  readonly defaultAddressSpaces = { local: localAddressSpace, global: globalAddressSpace };
  readonly #spaces: ReadonlyMap<string, Space>;
  readonly #leases = new Map<PoolId, Lease>();

  /** Throws INVALID_POOL for address pools that cannot be used. */
  constructor({ hostId, localPools = [], globalPools = [] }: BuiltinOptions) {
    const local = withDefaults(localPools, { 4: localIpv4Pools, 6: [uniqueLocalPool(hostId)] });
    const global = withDefaults(globalPools, { 4: globalIpv4Pools, 6: [] });
    this.#spaces = new Map([
      [localAddressSpace, newSpace(local)],
      [globalAddressSpace, newSpace(global)],
    ]);
  }

  requestPool(request: PoolRequest): PoolLease {
    const { addressSpace, family, exclude } = request;
    const wanted = readPoolRequest(request);
    const table = this.#space(addressSpace)[family];
    const slice =
      wanted.kind === "any" ? table.holdAny(wanted.size, exclude) : table.hold(wanted.pool, wanted.subPool);
    const subPool = wanted.kind === "any" ? undefined : wanted.subPool;
    const poolId = this.#remember({ addressSpace, pool: slice.pool.prefix, subPool }, slice);
    return { poolId, pool: slice.pool.prefix, data: {} };
  }

  releasePool(poolId: PoolId): void {
    const { addressSpace, pool, subPool } = this.#leases.get(poolId)?.key ?? parsePoolId(poolId);
    if (!this.#space(addressSpace)[familyOf(pool)].release(pool, subPool)) {
      throw new WeftError("INVALID_POOL", "address space does not contain specified address pool", {
        details: { poolId },
      });
    }
    this.#leases.delete(poolId);
  }

  /** As {@link IpamDriver.requestAddress}; here the lease always has an address. */
  requestAddress(
    poolId: PoolId,
    { address, options }: AddressRequest,
  ): AddressLease & { readonly address: InterfaceAddress } {
    const slice = this.#slice(poolId);
    const { prefix, addresses } = slice.pool;
    if (address !== undefined) {
      this.#take(slice, address);
      return { address: interfaceAddress(address, lengthOf(prefix)), data: {} };
    }
    const position = options[serialOption] === "true" ? takeNext(slice) : addresses.takeLowest(slice.range);
    if (position === undefined) {
      throw new WeftError("NO_AVAILABLE_ADDRESSES", "no available addresses on this pool", {
        details: { poolId },
      });
    }
    slice.cursor = position;
    return { address: interfaceAddress(addresses.address(position), lengthOf(prefix)), data: {} };
  }

  releaseAddress(poolId: PoolId, address: IpAddress): void {
    const slice = this.#slice(poolId);
    const position = positionIn(slice, address);
    // What is reserved with the pool was never given, and never becomes free.
    if (slice.pool.reserved.some(({ region, low }) => region === position.region && low === position.low))
      return;
    slice.pool.addresses.delete(position);
  }

  /** Holds a pool again that was held when the process ended. Throws INVALID_POOL or POOL_OVERLAP. */
  restorePool(poolId: PoolId): void {
    const key = parsePoolId(poolId);
    const table = this.#space(key.addressSpace)[familyOf(key.pool)];
    this.#remember(key, table.restore(key.pool, key.subPool));
  }

  /** Takes an address again that was given when the process ended; as a request for it, without an answer. */
  restoreAddress(poolId: PoolId, address: IpAddress): void {
    this.#take(this.#slice(poolId), address);
  }

  /** The ids of the pools that are held. */
  pools(): Iterable<PoolId> {
    return this.#leases.keys();
  }

  /** How full a pool is; takes time in what is stored of its bitmap. Throws INVALID_POOL. */
  poolStatus(poolId: PoolId): PoolStatus {
    const { pool, range } = this.#slice(poolId);
    const regionSize = BigInt(pool.addresses.regionSize);
    const capacity =
      (range.last.region - range.first.region) * regionSize + BigInt(range.last.low - range.first.low) + 1n;
    return {
      inUse: pool.addresses.count(pool.addresses.range),
      available: capacity - pool.addresses.count(range),
    };
  }

  /** Bytes of bits that a pool's addresses take in memory; what maps and objects cost is not in it. */
  bitmapBytes(poolId: PoolId): number {
    return this.#slice(poolId).pool.addresses.byteLength;
  }

  #take(slice: Slice, address: IpAddress): void {
    if (slice.pool.addresses.add(positionIn(slice, address))) return;
    throw new WeftError("ADDRESS_IN_USE", "Address already in use", { details: { address } });
  }

  #remember(key: PoolKey, slice: Slice): PoolId {
    const poolId = formatPoolId(key);
    this.#leases.set(poolId, { key, slice });
    return poolId;
  }

  #slice(poolId: PoolId): Slice {
    const lease = this.#leases.get(poolId);
    if (lease !== undefined) return lease.slice;
    this.#space(parsePoolId(poolId).addressSpace);
    throw new WeftError("INVALID_POOL", `cannot find address pool for poolID:${poolId}`);
  }

  #space(name: string): Space {
    const space = this.#spaces.get(name);
    if (space === undefined) throw new WeftError("INVALID_POOL", `cannot find address space ${name}`);
    return space;
  }
}

function withDefaults(entries: readonly AddressPoolConfig[], defaults: PredefinedPools): PredefinedPools {
  const pools = parseAddressPools(entries);
  return { 4: pools[4].length > 0 ? pools[4] : defaults[4], 6: pools[6].length > 0 ? pools[6] : defaults[6] };
}

function newSpace(pools: PredefinedPools): Space {
  return { 4: new PoolTable(4, pools[4]), 6: new PoolTable(6, pools[6]) };
}

/** Takes the first free address after the one chosen last, and starts over at the end of the range. */
function takeNext({ pool, range, cursor }: Slice): Position | undefined {
  if (cursor === undefined) return pool.addresses.takeLowest(range);
  const first = { region: cursor.region, low: cursor.low + 1 };
  return pool.addresses.takeLowest({ first, last: range.last }) ?? pool.addresses.takeLowest(range);
}

function positionIn(slice: Slice, address: IpAddress): Position {
  const position = slice.pool.addresses.position(address);
  if (position !== undefined) return position;
  throw new WeftError("ADDRESS_OUT_OF_RANGE", "requested address is out of range", {
    details: { address, pool: slice.pool.prefix },
  });
}
