export { refuseAddresses } from "./addresses.ts";
export * from "./answer.ts";
export { dummyParent, findParent, refuseMissing } from "./find-parent.ts";
export { lookAgain } from "./look-again.ts";
export { refuseMtu, refuseSmallMtu, tooSmallForIpv6 } from "./mtu.ts";
export { ParentDriver } from "./parent-driver.ts";
export type { EndpointKind } from "./parent-options.ts";
export type { ParentRequest } from "./parent-request.ts";
export { planParent } from "./plan.ts";
