import { u8, u32 } from "../../wire.ts";
import { bytesWith, type FieldValue } from "../datatypes.ts";
import type { RuleStep } from "../definition.ts";
import type { SetElement } from "../element.ts";
import type { Comparison, Expression } from "../expressions/index.ts";
import { encodeField, type FieldType, fieldDatatype } from "../field.ts";
import { boundsOf, type FieldRange, type KeyPart } from "../interval.ts";
import { sortElements } from "../sort-elements.ts";
import { compact } from "../symbols.ts";
import type { MatchOperator, Operand, SetReference } from "./clause.ts";
import { load } from "./load.ts";
import { fieldsOfTerm, type Term } from "./term.ts";

/** The steps of a match, without what must be known before. Throws RangeError when the two do not fit. */
export function compileMatch(left: Term, op: MatchOperator, right: Operand): readonly RuleStep[] {
  if (isSet(right)) return [...load(left), lookup(op, right.set)];
  if (isList(right)) return op === "has" || op === "lacks" ? bits(left, op, right) : inList(left, op, right);
  if (op === "has" || op === "lacks") return bits(left, op, [right]);
  const comparison = op === "in" ? "==" : op;
  if (isRange(right)) return inRange(left, comparison, right);
  if (typeof right === "string" && right.includes("/")) return inPrefix(left, comparison, right);
  return compare(left, comparison, right);
}

const isSet = (value: Operand): value is SetReference => typeof value === "object" && "set" in value;
const isRange = (value: KeyPart): value is FieldRange => typeof value === "object";
// Array.isArray does not narrow readonly arrays.
const isList = (value: Operand): value is readonly KeyPart[] | readonly (readonly KeyPart[])[] =>
  Array.isArray(value);

function inverted(op: MatchOperator): true | undefined {
  if (op === "==" || op === "in") return undefined;
  if (op === "!=") return true;
  throw new RangeError(`${op} cannot be asked of a set`);
}

function lookup(op: MatchOperator, set: string): Expression {
  return { kind: "lookup", set, from: 0, ...compact({ inverted: inverted(op) }) };
}

function inList(
  left: Term,
  op: MatchOperator,
  list: readonly (KeyPart | readonly KeyPart[])[],
): readonly RuleStep[] {
  const elements = list.map((part): SetElement => ({ key: keyOf(part) }));
  const interval = elements.some(({ key }) => key !== "*" && key.some(isInterval))
    ? (true as const)
    : undefined;
  const type = { key: fieldsOfTerm(left), ...compact({ interval }) };
  const sorted = sortElements(type, elements);
  const found: RuleStep = { kind: "lookup-anonymous", type, elements: sorted, from: 0 };
  return [...load(left), { ...found, ...compact({ inverted: inverted(op) }) }];
}

function keyOf(part: KeyPart | readonly KeyPart[]): readonly KeyPart[] {
  // Array.isArray does not narrow readonly arrays.
  return Array.isArray(part) ? (part as readonly KeyPart[]) : [part as KeyPart];
}

function isInterval(part: KeyPart): boolean {
  return typeof part === "object" || (typeof part === "string" && part.includes("/"));
}

/** The only field of a term. */
function single(left: Term): FieldType {
  const [field, ...more] = fieldsOfTerm(left);
  if (field === undefined || more.length > 0)
    throw new RangeError("a concatenation can only be looked up in a set");
  return field;
}

function compare(left: Term, op: Comparison, right: FieldValue): readonly Expression[] {
  const field = single(left);
  const wildcard = field === "ifname" && typeof right === "string" && right.endsWith("*");
  const value = wildcard ? Buffer.from(right.slice(0, -1)) : encodeField(field, right);
  return [...loadComparable(left, field, op), cmp(op, comparable(field, op, value))];
}

function cmp(op: Comparison, value: Buffer): Expression {
  return { kind: "cmp", from: 0, op, value: value.toString("hex") };
}

const isOrder = (op: Comparison) => op !== "==" && op !== "!=";

/** The kernel compares bytes as memory: for "less than", integers must stand in network order. */
function loadComparable(left: Term, field: FieldType, op: Comparison): readonly Expression[] {
  const { order, size } = fieldDatatype(field);
  if (!isOrder(op) || order === "network" || size === 1) return load(left);
  return [...load(left), { kind: "byteorder", to: "network", from: 0, into: 0, length: size, size }];
}

function comparable(field: FieldType, op: Comparison, value: Buffer): Buffer {
  const turns = isOrder(op) && fieldDatatype(field).order === "host" && littleEndian;
  return turns ? Buffer.from(value).reverse() : value;
}

const littleEndian = bytesWith(u32, 1)[0] === 1;

function inRange(left: Term, op: Comparison, { from, to }: FieldRange): readonly Expression[] {
  const field = single(left);
  const low = comparable(field, ">=", encodeField(field, from));
  const high = comparable(field, "<=", encodeField(field, to));
  const loaded = loadComparable(left, field, ">=");
  if (op === "==") return [...loaded, cmp(">=", low), cmp("<=", high)];
  if (op !== "!=") throw new RangeError(`${op} cannot be asked of a range`);
  const range = { low: low.toString("hex"), high: high.toString("hex") };
  return [...loaded, { kind: "range", from: 0, op, ...range }];
}

/** A prefix of whole bytes of a header needs no mask: fewer bytes are loaded. */
function inPrefix(left: Term, op: Comparison, text: string): readonly Expression[] {
  const field = single(left);
  const { low, high } = boundsOf(field, text);
  const mask = Buffer.from(low.map((byte, i) => ~(byte ^ (high[i] ?? 0)) & 0xff));
  const whole = mask.findIndex((byte) => byte !== 0xff);
  const length = whole < 0 ? mask.length : whole;
  const steps = load(left);
  const [first, ...more] = steps;
  const aligned = mask.subarray(length).every((byte) => byte === 0) && length > 0;
  if (aligned && more.length === 0 && first?.kind === "payload")
    return [{ ...first, length }, cmp(op, low.subarray(0, length))];
  return [...steps, maskStep(mask), cmp(op, low)];
}

function maskStep(mask: Buffer): Expression {
  const xor = "00".repeat(mask.length);
  return { kind: "mask", from: 0, into: 0, length: mask.length, mask: mask.toString("hex"), xor };
}

/** Any of some bits: they are masked out and what is left is compared with nothing. */
function bits(
  left: Term,
  op: "has" | "lacks",
  names: readonly (KeyPart | readonly KeyPart[])[],
): readonly Expression[] {
  const field = single(left);
  const datatype = fieldDatatype(field);
  const value = names.reduce<number>((sum, name) => (sum | bitOf(datatype.bits, name)) >>> 0, 0);
  const mask = bytesWith(datatype.size === 1 ? u8 : u32, value);
  if (mask.length !== datatype.size) throw new RangeError("bits can be asked of 1 or 4 bytes");
  const none = Buffer.alloc(mask.length);
  return [...load(left), maskStep(mask), cmp(op === "has" ? "!=" : "==", none)];
}

function bitOf(table: Readonly<Record<string, number>> | undefined, name: unknown): number {
  const bit = typeof name === "string" ? table?.[name] : name;
  if (typeof bit !== "number") throw new RangeError(`${JSON.stringify(name)} names no bit`);
  return bit;
}
