export * from "./cluster.ts";
export * from "./environment.ts";
export * from "./membership/index.ts";
export {
  type DatabaseNode,
  defaultOptions as networkDbDefaults,
  NetworkDb,
  type NetworkDbCounters,
  type NetworkDbOptions,
  type NetworkStatus,
  type TableChange,
  type TableEntry,
  type WatchFilter,
} from "./networkdb/index.ts";
export * from "./serf/index.ts";
export * from "./time/index.ts";
export * from "./transport/index.ts";
export {
  Keyring,
  MalformedMessage,
  type NonceSource,
  type SealVersion,
  wireLimits,
} from "./wire/index.ts";
