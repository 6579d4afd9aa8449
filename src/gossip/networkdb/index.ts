export type { NetworkDbCounters, Refusal } from "./counters.ts";
export { type DatabaseNode, NetworkDb, type NetworkStatus, type TableEntry } from "./network-db.ts";
export { defaultOptions, type NetworkDbOptions } from "./options.ts";
export type { TableChange, WatchFilter } from "./watchers.ts";
