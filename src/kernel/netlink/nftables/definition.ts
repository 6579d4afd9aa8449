import type { SetElement } from "./element.ts";
import type { Expression } from "./expressions/index.ts";
import type { ChainHook } from "./hook.ts";
import type { Register } from "./registers.ts";
import type { SetType } from "./set-type.ts";
import type { TableFlag, TableName } from "./table.ts";

/** A lookup in a set that is made for this rule and goes with it: `tcp dport { 80, 443 }`. */
export interface AnonymousLookup {
  readonly kind: "lookup-anonymous";
  /** Only `key`, `data` and `interval` count; a size is of no interest in a set that never grows. */
  readonly type: Pick<SetType, "key" | "data" | "interval">;
  /** In the order of their keys' bytes; see {@link sortElements}. */
  readonly elements: readonly SetElement[];
  readonly from: Register;
  readonly into?: Register;
  readonly inverted?: true;
}

/** One step of a rule in a definition. */
export type RuleStep = Expression | AnonymousLookup;

/** What a rule does, without its handle. */
export interface RuleDefinition {
  readonly steps: readonly RuleStep[];
  readonly comment?: string;
}

/** A chain with its rules in their order. */
export interface ChainDefinition {
  /** Absent for a chain that only jumps lead to. */
  readonly hook?: ChainHook;
  readonly rules: readonly RuleDefinition[];
  readonly comment?: string;
  /**
   * Its rules are somebody else's: it is made with the table, and stays as it is when {@link rebuildTable}
   * puts another definition in the table's place. The kernel does not know of this.
   */
  readonly kept?: true;
}

/**
 * A whole table as plain data: what it should hold, or what the kernel says that it holds. Two are the
 * same rule set exactly when they are deeply equal. The elements of named sets are no part of it, nor
 * are handles, counts of counters and the order of chains and sets, which means nothing.
 */
export interface TableDefinition extends TableName {
  readonly flags?: readonly TableFlag[];
  readonly comment?: string;
  readonly sets: Readonly<Record<string, SetType>>;
  readonly chains: Readonly<Record<string, ChainDefinition>>;
}
