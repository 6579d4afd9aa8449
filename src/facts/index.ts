export * from "./feature.ts";
export { probeFeatures } from "./features.ts";
export * from "./fixed-facts.ts";
export type { ForeignChain } from "./foreign-chains.ts";
export * from "./host-facts.ts";
export { type HostChange, HostWatch } from "./host-watch.ts";
export { LinuxFacts } from "./linux-facts.ts";
export * from "./resolv-conf.ts";
export type { ForeignRules } from "./rule-set-changes.ts";
