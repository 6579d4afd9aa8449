/**
 * nftables by netlink: tables as plain data that can be written, read back and compared, rules that
 * read like nft's own, sets and maps with typed elements, and transactions.
 *
 * @module
 */

export type { Chain, ChainName } from "./chain.ts";
export type { Change, CreateOptions, DeleteOptions } from "./change.ts";
export {
  type CommitOptions,
  type CommitRefusals,
  commit,
  isGenerationConflict,
  tryCommit,
} from "./commit.ts";
export type { DatatypeName, DatatypeValues, FieldValue } from "./datatypes.ts";
export type {
  AnonymousLookup,
  ChainDefinition,
  RuleDefinition,
  RuleStep,
  TableDefinition,
} from "./definition.ts";
export { listAllChains, listChains, listElements, listRules, listSets, listTables } from "./dump.ts";
export type { SetElement } from "./element.ts";
export { type AddElementsOptions, addElements, deleteElements, flushSet } from "./element-changes.ts";
export * from "./expressions/index.ts";
export type { TableFamily } from "./family.ts";
export type { FieldType, FieldValueOf, IntegerField, RawField } from "./field.ts";
export { askGeneration, type Generation, getGeneration } from "./generation.ts";
export type { Hex } from "./hex.ts";
export { type ChainHook, type HookName, priorities } from "./hook.ts";
export type { FieldRange, KeyPart } from "./interval.ts";
export { normalData, normalKey } from "./normal-element.ts";
export { decodeNotification, type Notification, notifiedTable, type TouchedTable } from "./notification.ts";
export { NFNLGRP_NFTABLES } from "./protocol.ts";
export type { Register } from "./registers.ts";
export type { Rule } from "./rule.ts";
export {
  addRule,
  deleteRule,
  flushChain,
  flushTable,
  type RuleName,
  type RulePlace,
  replaceRule,
} from "./rule-changes.ts";
export * from "./rules/index.ts";
export type { NftSet, SetName } from "./set.ts";
export { addSet, deleteSet } from "./set-changes.ts";
export type { DataOf, KeyOf, SetType, ValuesOf } from "./set-type.ts";
export { sortElements } from "./sort-elements.ts";
export type { Table, TableFlag, TableName } from "./table.ts";
export {
  addChain,
  addTable,
  deleteChain,
  deleteTable,
  type NewChain,
  type NewTable,
} from "./table-changes.ts";
export { createTable, readTable, readTables, type TablesRead } from "./table-definition.ts";
export { rebuildTable } from "./table-rebuild.ts";
export type { HeaderField, TypeofField } from "./typeof.ts";
export type { Verdict } from "./verdict.ts";
