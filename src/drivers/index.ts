export { BridgeDriver } from "./bridge/bridge-driver.ts";
export type { BridgeFacts } from "./bridge/facts.ts";
export { bridgeOption } from "./bridge/options.ts";
export * from "./contract.ts";
export { ImperativeDriver } from "./imperative-driver.ts";
export { NativeDriver } from "./native-driver.ts";
export { HostDriver, NullDriver } from "./null-driver.ts";
export type { ParentAnswer, ParentFacts, ParentUse, ParentUser } from "./parent/index.ts";
