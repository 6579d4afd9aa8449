export {
  type AddressPool,
  type AddressPoolConfig,
  globalAddressSpace,
  globalIpv4Pools,
  localAddressSpace,
  localIpv4Pools,
  type PredefinedPools,
  parseAddressPools,
  uniqueLocalPool,
} from "./builtin/address-spaces.ts";
export { BuiltinAllocator, type BuiltinOptions, type PoolStatus } from "./builtin/builtin-allocator.ts";
export { formatPoolId, type PoolKey, parsePoolId } from "./builtin/pool-id.ts";
export * from "./endpoint-address.ts";
export * from "./ipam-driver.ts";
export * from "./ledger.ts";
export * from "./network-allocation.ts";
export {
  type NetworkIpamConfig,
  type PoolConfig,
  parseNetworkConfig,
  type SubnetConfig,
} from "./network-config.ts";
export { NullAllocator } from "./null-allocator.ts";
export * from "./subnet-flags.ts";
