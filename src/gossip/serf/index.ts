export type { KeyAnswers } from "./key-answers.ts";
export type { KeyOperation } from "./key-queries.ts";
export * from "./serf.ts";
export type { SerfMember, SerfStatus } from "./serf-members.ts";
export { decodeTags, encodeTags } from "./tags.ts";
