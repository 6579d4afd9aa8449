export { Controller, type NewSandbox, type Twin } from "./controller.ts";
export type { ControllerEvent } from "./controller-event.ts";
export type { ControllerOptions, ControllerParts, NativeDriverSettings } from "./controller-options.ts";
export type { KernelFigures } from "./counted-kernel.ts";
export type { DefaultBridge } from "./default-bridge.ts";
export { type Durations, durationBounds } from "./durations.ts";
export { Endpoint, type EndpointInfo } from "./endpoint.ts";
export type { EndpointOptions } from "./endpoint-operations.ts";
export type { HostDrift } from "./host-drift.ts";
export type { JoinOptions } from "./join-operations.ts";
export { checkName } from "./names.ts";
export { Network, type NetworkStatus } from "./network.ts";
export type { NetworkOptions } from "./network-options.ts";
export { type Verb, verbs } from "./operations.ts";
export type { OwnRecords } from "./own-records.ts";
export type { PredefinedNetworks } from "./predefined.ts";
export type {
  BridgeSettings,
  EndpointRecord,
  HostEntry,
  JoinRecord,
  LifeState,
  LinkRecord,
  NetworkRecord,
  SandboxRecord,
} from "./records.ts";
export { checkRecords, hasRecords, restoreRecords } from "./root-records.ts";
export { Sandbox } from "./sandbox.ts";
export type { SandboxOptions } from "./sandbox-operations.ts";
export type { RepairCounters } from "./self-repair.ts";
export type { ControllerStats } from "./stats.ts";
export { endpointOption } from "./sysctl-options.ts";
export type { TwinStep } from "./twin.ts";
