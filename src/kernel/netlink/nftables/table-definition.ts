import { KernelError } from "../../kernel-error.ts";
import type { NetlinkSocket } from "../socket.ts";
import type { Change, CreateOptions } from "./change.ts";
import type { ChainDefinition, RuleDefinition, RuleStep, TableDefinition } from "./definition.ts";
import { listChains, listElements, listRules, listSets, listTables } from "./dump.ts";
import type { Expression } from "./expressions/index.ts";
import { getGeneration } from "./generation.ts";
import type { Rule } from "./rule.ts";
import { addRule } from "./rule-changes.ts";
import type { NftSet } from "./set.ts";
import { addSet } from "./set-changes.ts";
import { sortElements } from "./sort-elements.ts";
import { compact } from "./symbols.ts";
import { describe, type Table, type TableName } from "./table.ts";
import { addChain, addTable } from "./table-changes.ts";

/**
 * All that makes the table: itself, its sets, its chains, and then the rules, which may speak of any of
 * them. With `exclusive` it is EEXIST when the table is there; without, the rules come after those that
 * are there. To put one table in the place of another: see {@link rebuildTable}.
 */
export function createTable(definition: TableDefinition, options?: CreateOptions): readonly Change[] {
  const { family, table, chains } = definition;
  const name = { family, table };
  const entries = Object.entries(chains);
  return [
    ...addTable({ ...name, ...compact({ flags: definition.flags, comment: definition.comment }) }, options),
    ...Object.entries(definition.sets).flatMap(([set, type]) => addSet({ ...name, set }, type)),
    ...entries.flatMap(([chain, { hook, comment }]) =>
      addChain({ ...name, chain, ...compact({ hook, comment }) }),
    ),
    ...entries.flatMap(([chain, { rules }]) => rules.flatMap((rule) => addRule({ ...name, chain }, rule))),
  ];
}

/** How often a table is read again because it changed meanwhile. */
const readAttempts = 50;

/**
 * The table as it is now, or undefined when it is not there. Equal, deeply, to the definition that
 * {@link createTable} made it from as long as nobody changed it. Throws KernelError, EAGAIN when the
 * rule set kept changing.
 */
export function readTable(socket: NetlinkSocket, name: TableName): TableDefinition | undefined {
  return whileUnchanged(socket, describe("table", name), () => {
    const found = listTables(socket, name.family).find(({ table }) => table === name.table);
    return found === undefined ? undefined : definitionOf(socket, found);
  });
}

/** What {@link readTables} finds in a namespace. */
export interface TablesRead {
  /** The tables of the name asked for, one a family at most. */
  readonly definitions: readonly TableDefinition[];
  /** How many tables have other names. */
  readonly others: number;
}

/** {@link readTable} for the tables of that name in all families. Throws KernelError likewise. */
export function readTables(socket: NetlinkSocket, name: string): TablesRead {
  return whileUnchanged(socket, `tables ${name}`, () => {
    const tables = listTables(socket);
    const named = tables.filter(({ table }) => table === name);
    return {
      definitions: named.map((found) => definitionOf(socket, found)),
      others: tables.length - named.length,
    };
  });
}

/** What `read` gives, once the rule set has not changed meanwhile. */
function whileUnchanged<T>(socket: NetlinkSocket, object: string, read: () => T): T {
  for (let attempt = 0; attempt < readAttempts; attempt++) {
    const generation = getGeneration(socket);
    const found = read();
    if (getGeneration(socket) === generation) return found;
  }
  throw new KernelError({ errno: EAGAIN, call: "NFT_MSG_GETTABLE", object });
}

function definitionOf(socket: NetlinkSocket, { family, table, flags, comment }: Table): TableDefinition {
  const name = { family, table };
  const chains = listChains(socket, name);
  const rules = listRules(socket, name);
  const sets = listSets(socket, name);
  const anonymous = new Map(sets.filter((one) => one.anonymous).map((one) => [one.set, one]));
  const named = sets.filter((one) => !one.anonymous);
  const chainEntries = chains.map(({ chain, hook, comment: words }): [string, ChainDefinition] => {
    const own = rules.filter((rule) => rule.chain === chain);
    return [
      chain,
      { rules: own.map((rule) => define(socket, rule, anonymous)), ...compact({ hook, comment: words }) },
    ];
  });
  return {
    ...name,
    ...compact({ flags, comment }),
    sets: Object.fromEntries(named.map((one) => [one.set, one.type])),
    chains: Object.fromEntries(chainEntries),
  };
}

function define(socket: NetlinkSocket, rule: Rule, anonymous: ReadonlyMap<string, NftSet>): RuleDefinition {
  const steps = rule.expressions.map((one) => step(socket, one, anonymous));
  return { steps, ...compact({ comment: rule.comment }) };
}

/** An expression as a definition has it: without counts, and with an anonymous set in place of its name. */
function step(
  socket: NetlinkSocket,
  expression: Expression,
  anonymous: ReadonlyMap<string, NftSet>,
): RuleStep {
  if (expression.kind === "counter") return { kind: "counter" };
  const set = expression.kind === "lookup" ? anonymous.get(expression.set) : undefined;
  if (expression.kind !== "lookup" || set === undefined) return expression;
  const { key, data, interval } = set.type;
  const type = { key, ...compact({ data, interval }) };
  const { from, into, inverted } = expression;
  const elements = sortElements(type, listElements(socket, set, type));
  return { kind: "lookup-anonymous", type, elements, from, ...compact({ into, inverted }) };
}

const EAGAIN = 11;
