import {
  contains,
  type Family,
  type InterfaceAddress,
  type IpAddress,
  isWeftError,
  WeftError,
} from "../core/index.ts";
import type {
  AddressLease,
  AddressRequest,
  IpamAllocator,
  IpamDriver,
  IpamOptions,
  PoolId,
} from "./ipam-driver.ts";
import type { AllocatedPool } from "./network-allocation.ts";

/** Asks for an endpoint's address in one family. */
export interface EndpointAddressRequest {
  /** The network, as the refusal names it. */
  readonly network: { readonly name: string; readonly id: string };
  /** The network's pools; those of the other family are passed over. */
  readonly pools: readonly Pick<AllocatedPool, "family" | "poolId" | "pool">[];
  readonly family: Family;
  /** The address the endpoint wants; any when left out. */
  readonly preferred?: IpAddress;
  readonly options: IpamOptions;
}

/** An endpoint's address and the pool it is from. */
export interface EndpointAddress {
  readonly poolId: PoolId;
  /** Undefined when the driver gives none (null). */
  readonly address: InterfaceAddress | undefined;
}

/**
 * Takes an address from the first of the network's pools that has one, or the preferred address from the
 * pool that holds it. Throws what the driver throws; INVALID_IPAM_CONFIG for a preferred address in none
 * of the pools; NO_AVAILABLE_ADDRESSES when all are full.
 */
export async function requestEndpointAddress(
  driver: IpamDriver,
  request: EndpointAddressRequest,
  signal?: AbortSignal,
): Promise<EndpointAddress> {
  const wanted = addressRequest(request);
  for (const { poolId } of candidates(request)) {
    try {
      return answer(poolId, await driver.requestAddress(poolId, wanted, signal));
    } catch (error) {
      if (!mayTryNext(request, error)) throw error;
    }
  }
  throw refusal(request);
}

/** {@link requestEndpointAddress} in one step, for an allocator in this process. */
export function takeEndpointAddress(
  allocator: IpamAllocator,
  request: EndpointAddressRequest,
): EndpointAddress {
  const wanted = addressRequest(request);
  for (const { poolId } of candidates(request)) {
    try {
      return answer(poolId, allocator.requestAddress(poolId, wanted));
    } catch (error) {
      if (!mayTryNext(request, error)) throw error;
    }
  }
  throw refusal(request);
}

function candidates({ pools, family, preferred }: EndpointAddressRequest) {
  return pools.filter(
    (pool) => pool.family === family && (preferred === undefined || contains(pool.pool, preferred)),
  );
}

function addressRequest({ preferred, options }: EndpointAddressRequest): AddressRequest {
  return preferred === undefined ? { options } : { address: preferred, options };
}

function answer(poolId: PoolId, { address }: AddressLease): EndpointAddress {
  return { poolId, address };
}

function mayTryNext({ preferred }: EndpointAddressRequest, error: unknown): boolean {
  return preferred === undefined && isWeftError(error, "NO_AVAILABLE_ADDRESSES");
}

function refusal({ network, family, preferred }: EndpointAddressRequest): WeftError {
  if (preferred !== undefined) {
    const message = `invalid address ${preferred}: It does not belong to any of this network's subnets`;
    return new WeftError("INVALID_IPAM_CONFIG", message);
  }
  const where = `${network.name} (${network.id})`;
  return new WeftError(
    "NO_AVAILABLE_ADDRESSES",
    `no available IPv${family} addresses on this network's address pools: ${where}`,
  );
}
