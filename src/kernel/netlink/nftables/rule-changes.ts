import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_REPLACE } from "../message.ts";
import type { ChainName } from "./chain.ts";
import type { Change } from "./change.ts";
import type { AnonymousLookup, RuleDefinition, RuleStep } from "./definition.ts";
import { addElements } from "./element-changes.ts";
import type { Expression } from "./expressions/index.ts";
import { type MessageName, request } from "./protocol.ts";
import { ruleAttributes } from "./rule.ts";
import { setRequest } from "./set-changes.ts";
import { compact } from "./symbols.ts";
import { describe, type TableName } from "./table.ts";
import { commentUserdata } from "./userdata.ts";

/** Where a rule is put: at the chain's end when absent, at its beginning, or beside another rule by handle. */
export type RulePlace = "first" | { readonly after: bigint } | { readonly before: bigint };

/** Which rule. */
export interface RuleName extends ChainName {
  readonly handle: bigint;
}

const describeRules = (name: ChainName) => describe("rule in chain", name, name.chain);
const describeRule = (name: RuleName) => describe("rule", name, name.chain, `handle ${name.handle}`);

/** Adds a rule, and before it the anonymous sets that it looks up in. */
export function addRule(chain: ChainName, rule: RuleDefinition, place?: RulePlace): readonly Change[] {
  const position = typeof place === "object" ? ("after" in place ? place.after : place.before) : undefined;
  const appends = place === undefined || (typeof place === "object" && "after" in place);
  return ruleChanges(chain, rule, {
    flags: appends ? NLM_F_CREATE | NLM_F_APPEND : NLM_F_CREATE,
    value: compact({ position }),
    object: describeRules(chain),
  });
}

/** Puts `rule` in the place of another. The new one has another handle. */
export function replaceRule(name: RuleName, rule: RuleDefinition): readonly Change[] {
  const value = { handle: name.handle };
  return ruleChanges(name, rule, { flags: NLM_F_REPLACE, value, object: describeRule(name) });
}

/** Deletes one rule. */
export function deleteRule(name: RuleName, options?: { readonly ifExists?: boolean }): readonly Change[] {
  const call = options?.ifExists ? "NFT_MSG_DESTROYRULE" : "NFT_MSG_DELRULE";
  const { chain, handle } = name;
  return [ruleRequest(call, name, describeRule(name), { chain, handle })];
}

/** Deletes all rules of a chain. */
export function flushChain(name: ChainName): readonly Change[] {
  return [ruleRequest("NFT_MSG_DELRULE", name, describeRules(name), { chain: name.chain })];
}

/** Deletes all rules of all chains of a table; sets and chains stay. */
export function flushTable(name: TableName): readonly Change[] {
  return [ruleRequest("NFT_MSG_DELRULE", name, describe("rules of table", name), {})];
}

function ruleRequest(
  call: MessageName,
  table: TableName,
  object: string,
  value: { readonly chain?: string; readonly handle?: bigint },
): Change {
  const { family } = table;
  return request({ call, family, object, codec: ruleAttributes, value: { table: table.table, ...value } });
}

function ruleChanges(
  chain: ChainName,
  rule: RuleDefinition,
  init: {
    readonly flags: number;
    readonly object: string;
    readonly value: { readonly handle?: bigint; readonly position?: bigint };
  },
): readonly Change[] {
  const sets: Change[] = [];
  const expressions = rule.steps.map((step) => withoutAnonymous(chain, step, sets));
  const change = request({
    call: "NFT_MSG_NEWRULE",
    family: chain.family,
    flags: init.flags,
    object: init.object,
    codec: ruleAttributes,
    value: {
      ...init.value,
      table: chain.table,
      chain: chain.chain,
      expressions,
      userdata: commentUserdata(rule.comment),
    },
  });
  return [...sets, change];
}

/** Numbers of sets need only differ within a batch; 32 bits last longer than any of them. */
let lastSetId = 0;

/** The step as the kernel knows it; what makes its set is put into `sets`. */
function withoutAnonymous(table: TableName, step: RuleStep, sets: Change[]): Expression {
  if (step.kind !== "lookup-anonymous") return step;
  lastSetId = (lastSetId + 1) >>> 0;
  // The kernel puts a number in place of %d. Until then the set is known by the id.
  const name = { ...table, set: step.type.data === undefined ? "__set%d" : "__map%d" };
  sets.push(setRequest(name, sizedType(step), { id: lastSetId, anonymous: true }));
  sets.push(...addElements(name, step.type, step.elements, { setId: lastSetId }));
  const { from, into, inverted } = step;
  return { kind: "lookup", set: name.set, setId: lastSetId, from, ...compact({ into, inverted }) };
}

/** A size lets the kernel choose the best implementation for a set that will not change. */
function sizedType({ type, elements }: AnonymousLookup) {
  return type.interval ? type : { ...type, size: elements.length };
}
