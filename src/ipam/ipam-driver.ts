import type { Family, InterfaceAddress, IpAddress, Prefix } from "../core/index.ts";

/** What a driver calls a pool it gave; opaque to everyone else, and stored in the network's record. */
export type PoolId = string;

/** Options as the user or the controller gives them, string to string. */
export type IpamOptions = Readonly<Record<string, string>>;

/** What a driver needs from its caller (GetCapabilities of the plugin protocol). */
export interface IpamCapabilities {
  /** An endpoint's address request must carry its MAC address as {@link macAddressOption}. */
  readonly requiresMacAddress: boolean;
  /** The driver forgets with the process: pools and leases are told to it again at each start. */
  readonly requiresRequestReplay: boolean;
}

/** The spaces that pools of networks of local and of global scope come from. */
export interface AddressSpaces {
  readonly local: string;
  readonly global: string;
}

/** Asks for a pool. */
export interface PoolRequest {
  readonly addressSpace: string;
  /**
   * A subnet in CIDR form (host bits are cleared), or `0.0.0.0/24` or `::/72` for any subnet of that
   * size, or nothing for any subnet.
   */
  readonly pool?: string;
  /** The part of `pool` that addresses are taken from; needs `pool`. */
  readonly subPool?: string;
  readonly options: IpamOptions;
  /** Prefixes that a pool chosen by the driver must not overlap. Those of the other family are ignored. */
  readonly exclude: readonly Prefix[];
  readonly family: Family;
}

/** A pool that was given. */
export interface PoolLease {
  readonly poolId: PoolId;
  readonly pool: Prefix;
  /** What the driver has to say besides, such as its choice of gateway under {@link gatewayOption}. */
  readonly data: Readonly<Record<string, string>>;
}

/** Asks for an address of a pool. */
export interface AddressRequest {
  /** The address wanted; any when left out. */
  readonly address?: IpAddress;
  readonly options: IpamOptions;
}

/** An address that was given. */
export interface AddressLease {
  /** The address with the prefix length of the whole pool; undefined from a driver that has none to give (null). */
  readonly address: InterfaceAddress | undefined;
  readonly data: Readonly<Record<string, string>>;
}

/**
 * A source of pools and addresses: builtin, null, or a plugin in another process, which has these same
 * verbs. Every implementation passes test/ipam/ipam-compliance.ts.
 */
export interface IpamDriver {
  readonly name: string;
  readonly capabilities: IpamCapabilities;
  readonly defaultAddressSpaces: AddressSpaces;
  /** Throws INVALID_POOL, POOL_OVERLAP or POOLS_EXHAUSTED. */
  requestPool(request: PoolRequest, signal?: AbortSignal): Promise<PoolLease>;
  /** Throws INVALID_POOL for a pool that is not held. */
  releasePool(poolId: PoolId, signal?: AbortSignal): Promise<void>;
  /** Throws INVALID_POOL, ADDRESS_OUT_OF_RANGE, ADDRESS_IN_USE or NO_AVAILABLE_ADDRESSES. */
  requestAddress(poolId: PoolId, request: AddressRequest, signal?: AbortSignal): Promise<AddressLease>;
  /** Does nothing for an address that is free. Throws INVALID_POOL or ADDRESS_OUT_OF_RANGE. */
  releaseAddress(poolId: PoolId, address: IpAddress, signal?: AbortSignal): Promise<void>;
}

/**
 * The same verbs, synchronous: what a driver in this process offers besides, so that an allocation is
 * one step that nothing can come between. {@link asIpamDriver} makes an {@link IpamDriver} of it.
 */
export interface IpamAllocator {
  readonly name: string;
  readonly capabilities: IpamCapabilities;
  readonly defaultAddressSpaces: AddressSpaces;
  requestPool(request: PoolRequest): PoolLease;
  releasePool(poolId: PoolId): void;
  requestAddress(poolId: PoolId, request: AddressRequest): AddressLease;
  releaseAddress(poolId: PoolId, address: IpAddress): void;
}

/** The contract of {@link IpamDriver} over an allocator in this process. An abort is seen before a call, not within. */
export function asIpamDriver(allocator: IpamAllocator): IpamDriver {
  return {
    name: allocator.name,
    capabilities: allocator.capabilities,
    defaultAddressSpaces: allocator.defaultAddressSpaces,
    async requestPool(request, signal) {
      signal?.throwIfAborted();
      return allocator.requestPool(request);
    },
    async releasePool(poolId, signal) {
      signal?.throwIfAborted();
      allocator.releasePool(poolId);
    },
    async requestAddress(poolId, request, signal) {
      signal?.throwIfAborted();
      return allocator.requestAddress(poolId, request);
    },
    async releaseAddress(poolId, address, signal) {
      signal?.throwIfAborted();
      allocator.releaseAddress(poolId, address);
    },
  };
}

/** Address option: what the address is for. Its one known value is {@link gatewayOption}. */
export const requestAddressTypeOption = "RequestAddressType";
/** In an address request's type: the network's gateway. In a pool's data: the gateway the driver chose, as CIDR. */
export const gatewayOption = "com.docker.network.gateway";
/** Address option: the endpoint's MAC address. */
export const macAddressOption = "com.docker.network.endpoint.macaddress";
/** Address option: with the value `true`, addresses follow the one given last, and wrap, instead of the lowest free. */
export const serialOption = "com.docker.network.ipam.serial";
