import { z } from "zod";
import { Filters } from "../schema/index.ts";

type Json = Readonly<Record<string, unknown>>;
type Direction = "request" | "answer";

/**
 * Schemas with an id become components, and what is described refers to them. A schema of requests and its
 * sister of answers differ: defaults are filled in there, and more fields may come. Where both are used, that of
 * answers is named `…Output`.
 */
export class SchemaCollection {
  readonly #found: Readonly<Record<Direction, Map<string, Json>>> = { request: new Map(), answer: new Map() };

  constructor() {
    this.request(Filters);
  }

  /** JSON Schema of what a request may hold. */
  request(schema: z.ZodType): Json {
    return this.#add(schema, "request");
  }

  /** JSON Schema of what an answer holds. */
  answer(schema: z.ZodType): Json {
    return this.#add(schema, "answer");
  }

  /** `document` with every reference resolved to a component, and the components themselves. */
  resolve(document: Json & { readonly components: Json }): Record<string, unknown> {
    const { request, answer } = this.#found;
    const schemas: Record<string, unknown> = {};
    for (const [id, schema] of request) schemas[id] = schema;
    for (const [id, schema] of answer) schemas[this.#name(id, "answer")] = schema;
    const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
    const whole = { ...document, components: { schemas: sorted, ...document.components } };
    return this.#renamed(whole) as Record<string, unknown>; // an object stays one
  }

  #add(schema: z.ZodType, direction: Direction): Json {
    const io = direction === "request" ? "input" : "output";
    const {
      $schema: _,
      $defs,
      ...text
    } = z.toJSONSchema(schema, { io, override: (context) => tidy(context, io) });
    for (const [id, definition] of Object.entries($defs ?? {}))
      this.#found[direction].set(id, marked(definition, direction) as Json); // an object stays one
    return marked(text, direction) as Json;
  }

  #name(id: string, direction: Direction): string {
    return direction === "answer" && this.#found.request.has(id) ? `${id}Output` : id;
  }

  #renamed(value: unknown): unknown {
    return mapReferences(value, (reference) => {
      const [, direction, id] = reference.match(/^(request|answer):(.+)$/) ?? [];
      if (id === undefined) return reference;
      return `#/components/schemas/${this.#name(id, direction === "answer" ? "answer" : "request")}`;
    });
  }
}

/** Which direction a reference belongs to is only known here; its name is, when all were found. */
function marked(value: unknown, direction: Direction): unknown {
  return mapReferences(value, (reference) => reference.replace("#/$defs/", `${direction}:`));
}

function mapReferences(value: unknown, change: (reference: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => mapReferences(item, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === "$ref" && typeof inner === "string" ? change(inner) : mapReferences(inner, change),
    ]),
  );
}

/** Leaves out what says nothing: the bounds of whole numbers in JSON, that keys are texts; and, of answers, that nothing may be added. */
function tidy({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }, io: "input" | "output"): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.type === "integer") delete jsonSchema.pattern; // a number in a query, which is a text
  if (jsonSchema.propertyNames !== undefined) delete jsonSchema.propertyNames;
  if (io === "output" && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
}
