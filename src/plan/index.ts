export type { Changes } from "./desired.ts";
export type { Step } from "./diff.ts";
export type { Drift } from "./drift.ts";
export type { HeldHandler } from "./held.ts";
export * from "./journal.ts";
export type { HeldObject, OwnerId, PlannedObject, Wanted } from "./object.ts";
export { identityOfPlanned } from "./object.ts";
export { heldRanks } from "./rank.ts";
export * from "./reconciler.ts";
