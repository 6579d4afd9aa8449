import assert from "node:assert/strict";
import {
  BuiltinAllocator,
  type IpamOptions,
  type PoolId,
  type PoolRequest,
} from "../../../src/ipam/index.ts";
import { refusal } from "../refusal.ts";

/** An allocator that holds nothing. */
export function builtin(): BuiltinAllocator {
  return new BuiltinAllocator({ hostId: "host-1" });
}

/** A request for any pool of LocalDefault, of the family of `pool`, or as `init` says. */
export function request(init: Partial<PoolRequest> = {}): PoolRequest {
  const family = init.pool?.includes(":") ? 6 : 4;
  return { addressSpace: "LocalDefault", options: {}, exclude: [], family, ...init };
}

/** An address of the allocator's choice. */
export function take(allocator: BuiltinAllocator, poolId: PoolId, options: IpamOptions = {}): string {
  return allocator.requestAddress(poolId, { options }).address;
}

/** Every address there is left, in the order in which they come. */
export function takeAll(allocator: BuiltinAllocator, poolId: PoolId): readonly string[] {
  const { available } = allocator.poolStatus(poolId);
  const addresses = Array.from({ length: Number(available) }, () => take(allocator, poolId));
  assert.throws(
    () => take(allocator, poolId),
    refusal("NO_AVAILABLE_ADDRESSES", "no available addresses on this pool"),
  );
  return addresses;
}
