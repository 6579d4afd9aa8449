import type { FieldValue } from "../datatypes.ts";
import type { RuleDefinition, RuleStep } from "../definition.ts";
import type { Expression, NatFlag } from "../expressions/index.ts";
import type { TableFamily } from "../family.ts";
import { encodeField, type FieldType } from "../field.ts";
import { slotsOf } from "../registers.ts";
import { sortElements } from "../sort-elements.ts";
import { compact } from "../symbols.ts";
import type { Clause, NatClause } from "./clause.ts";
import { compileMatch } from "./compile-match.ts";
import { KnownProtocols } from "./dependencies.ts";
import { ctTypes, metaTypes } from "./key-types.ts";
import { load } from "./load.ts";
import { inetPort, natAddress } from "./nat-values.ts";
import { fieldsOfTerm, type MapTerm, type Term } from "./term.ts";

/**
 * A rule of a table of `family`. What a field of a header presupposes is matched before it, as nft does:
 * `ip daddr` in an inet table comes after `meta nfproto ipv4`. Throws RangeError for a clause that
 * makes no sense there.
 */
export function rule(family: TableFamily, clauses: readonly Clause[], comment?: string): RuleDefinition {
  const known = new KnownProtocols(family);
  const steps = clauses.flatMap((clause) => compile(clause, known));
  return { steps, ...compact({ comment }) };
}

/** {@link rule} for each list of clauses: a whole chain. */
export function rules(family: TableFamily, lists: readonly (readonly Clause[])[]): readonly RuleDefinition[] {
  return lists.map((clauses) => rule(family, clauses));
}

function compile(clause: Clause, known: KnownProtocols): readonly RuleStep[] {
  if ("verdict" in clause) return [{ kind: "verdict", verdict: clause }];
  switch (clause.clause) {
    case "match": {
      const { left, op, right } = clause;
      const before = known.require(left);
      if (op === "==" || op === "in") known.note(left, right);
      return [...before, ...compileMatch(left, op, right)];
    }
    case "set-meta":
      return [
        ...loadValue(clause.value, metaTypes[clause.key], known),
        { kind: "meta-set", key: clause.key, from: 0 },
      ];
    case "set-ct":
      return [
        ...loadValue(clause.value, ctTypes[clause.key], known),
        { kind: "ct-set", key: clause.key, from: 0 },
      ];
    case "nat":
      return [...(isMap(clause.to) ? natByMap(clause, clause.to, known) : natLiteral(clause, clause.to))];
    case "masquerade":
      return [{ kind: "masquerade", ...someFlags(clause.flags) }];
    case "redirect": {
      const { loads, slots } = inetPort(clause.port, 0);
      return [...loads, { kind: "redirect", ...slots, ...someFlags(clause.flags) }];
    }
    case "verdict-map":
      return verdicts(clause.of, clause.map, known);
    case "dynset": {
      const { operation, set, key, timeoutMs } = clause;
      const step: Expression = { kind: "dynset", operation, set, key: 0, ...compact({ timeoutMs }) };
      return [...known.require(key), ...load(key), step];
    }
    case "expression":
      return [clause.expression];
  }
}

function loadValue(value: FieldValue | Term, field: FieldType, known: KnownProtocols): readonly Expression[] {
  if (typeof value === "object") return [...known.require(value), ...load(value)];
  return [{ kind: "immediate", into: 0, value: encodeField(field, value).toString("hex") }];
}

function someFlags(flags: readonly NatFlag[]): { readonly flags?: readonly NatFlag[] } {
  return flags.length === 0 ? {} : { flags };
}

const isMap = (to: NatClause["to"]): to is MapTerm => "term" in to;

/** The map's data is an address and, in the slots behind it, a port. */
function natByMap(clause: NatClause, to: MapTerm, known: KnownProtocols): readonly Expression[] {
  const { type, family, flags } = clause;
  const port = clause.data === "address" ? {} : { port: slotsOf(family === "ip" ? 4 : 16) };
  return [
    ...known.require(to),
    ...load(to),
    { kind: "nat", type, family, address: 0, ...port, ...someFlags(flags) },
  ];
}

function natLiteral(clause: NatClause, to: Exclude<NatClause["to"], MapTerm>): readonly Expression[] {
  const { type, family, flags } = clause;
  const address = natAddress(family, to.address);
  const port = inetPort(to.port, address.next);
  return [
    ...address.loads,
    ...port.loads,
    { kind: "nat", type, family, ...address.slots, ...port.slots, ...someFlags(flags) },
  ];
}

function verdicts(
  of: Term,
  map: Extract<Clause, { readonly clause: "verdict-map" }>["map"],
  known: KnownProtocols,
): readonly RuleStep[] {
  const loaded = [...known.require(of), ...load(of)];
  if (typeof map === "string") return [...loaded, { kind: "lookup", set: map, from: 0, into: "verdict" }];
  const type = { key: fieldsOfTerm(of), data: "verdict" as const };
  const elements = sortElements(type, map);
  return [...loaded, { kind: "lookup-anonymous", type, elements, from: 0, into: "verdict" }];
}
