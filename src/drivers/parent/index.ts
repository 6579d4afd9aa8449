export * from "./answer.ts";
export { dummyParent, findParent, type ParentRequest, refuseMissing } from "./find-parent.ts";
export { lookAgain } from "./look-again.ts";
export { planParent } from "./plan.ts";
