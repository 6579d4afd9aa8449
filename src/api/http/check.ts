import { z } from "zod";
import { WeftError } from "../../core/index.ts";

/** As many of a request's faults are told at once. */
const mostFaults = 5;
/** A value in a message is cut after so many characters. */
const mostCharacters = 60;

/**
 * `value` as `schema` reads it, with its defaults. `where` says where it came from: "body", "query". Throws
 * INVALID_REQUEST with a message that names each field, what it has and what would be right; the details have
 * the same by field.
 */
export function check<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => faultOf(issue, schema, where));
  const told = faults.slice(0, mostFaults).map(({ field, words }) => `${field}: ${words}`);
  if (faults.length > mostFaults) told.push(`and ${faults.length - mostFaults} more`);
  throw new WeftError("INVALID_REQUEST", `invalid request: ${told.join("; ")}`, {
    details: {
      fields: Object.fromEntries(faults.slice(0, mostFaults).map(({ field, words }) => [field, words])),
    },
  });
}

interface Fault {
  /** `Networks[0].IPv4Address`; the place itself, "body", when it is about the whole. */
  readonly field: string;
  readonly words: string;
}

function faultOf(issue: z.core.$ZodIssue, schema: z.ZodType, where: string): Fault {
  const field = fieldOf(issue.path, where);
  if (issue.code === "unrecognized_keys") {
    const unknown = issue.keys.map((key) => JSON.stringify(key)).join(", ");
    const known = knownKeys(schema, issue.path);
    const right = known.length === 0 ? "there is none" : `known are ${known.join(", ")}`;
    return { field, words: `unknown ${where === "query" ? "word" : "field"} ${unknown}; ${right}` };
  }
  if (issue.code === "invalid_type" && issue.input === undefined)
    return { field, words: `missing; expected ${expectedWords(issue.expected)}` };
  return { field, words: `${rightWords(issue)}, not ${valueWords(issue.input)}` };
}

function rightWords(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${expectedWords(issue.expected)}`;
    case "invalid_value":
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "too_small":
      return `expected ${sizeWords(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum)}`;
    case "too_big":
      return `expected ${sizeWords(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum)}`;
    default:
      return issue.message;
  }
}

const sizeUnits: Readonly<Record<string, string>> = { string: "character", array: "item" };

function sizeWords(origin: string, bound: string, size: number | bigint): string {
  const unit = sizeUnits[origin];
  if (unit === undefined) return `${bound} ${size}`;
  return `${bound} ${size} ${size === 1 ? unit : `${unit}s`}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

function expectedWords(type: string): string {
  return typeNames[type] ?? type;
}

/** Enough of a value to find it again. */
function valueWords(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}…`;
}

function fieldOf(path: readonly PropertyKey[], where: string): string {
  let field = "";
  for (const part of path) {
    if (typeof part === "number") field += `[${part}]`;
    else field += field === "" ? String(part) : `.${String(part)}`;
  }
  return field === "" ? where : field;
}

/** The fields that the object at `path` may have. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = schema;
  for (const part of path) at = inner(unwrap(at), part);
  const object = unwrap(at);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function inner(schema: unknown, part: PropertyKey): unknown {
  if (schema instanceof z.ZodObject) return schema.shape[String(part)];
  if (schema instanceof z.ZodArray) return schema.element;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return undefined;
}

function unwrap(schema: unknown): unknown {
  let at = schema;
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodPrefault)
    at = at.unwrap();
  return at;
}
