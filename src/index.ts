/**
 * weft: Docker's Container Network Model for Linux, as a library. A {@link Controller} makes networks,
 * endpoints and sandboxes; a {@link Launcher} runs commands in sandboxes.
 */
export * from "./cnm/index.ts";
export { type ErrorCode, type ErrorKind, errorCatalogue, isWeftError, WeftError } from "./core/index.ts";
export type {
  Driver,
  DriverCapabilities,
  DriverEndpoint,
  DriverJoin,
  DriverNetwork,
  DriverOptions,
  DriverPool,
  EndpointAnswer,
  JoinAnswer,
  NetworkAnswer,
  OpenPort,
  ParentAnswer,
  ParentUse,
  ParentUser,
  Publication,
  Publishing,
} from "./drivers/index.ts";
export { ImperativeDriver } from "./drivers/index.ts";
export type { Feature } from "./facts/index.ts";
export type { AddressPoolConfig, IpamDriver, SubnetConfig } from "./ipam/index.ts";
export { isKernelError, KernelError } from "./kernel/index.ts";
export type { Drift } from "./plan/index.ts";
export type { PortBinding, PortProtocol, PortRange, PortSpec, PublishedPort } from "./ports/index.ts";
export * from "./runtime/index.ts";
export type { CheckedStore, StoreEntry, StoreReader, Transaction } from "./store/index.ts";
