import { z } from "zod";
import { ErrorBody } from "../schema/index.ts";
import { FiltersText } from "./query-words.ts";
import type { AnswerShape, AnyRoute } from "./route.ts";
import { SchemaCollection } from "./schema-collection.ts";

type Json = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1.1 description of `routes` (https://spec.openapis.org/oas/v3.1.1), made from the schemas that check requests. */
export function openApiDocument(routes: readonly AnyRoute[]): Record<string, unknown> {
  const schemas = new SchemaCollection();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] ??= pathItem(route.path);
    Object.assign(paths[route.path] ?? {}, { [route.method.toLowerCase()]: operation(route, schemas) });
  }
  const refusal = {
    description: "Refused, and nothing was changed.",
    content: jsonContent(schemas.answer(ErrorBody)),
  };
  const document = {
    openapi: "3.1.1",
    info: {
      title: "weft",
      description:
        "The daemon of one host, on its unix socket (/run/weft/weft.sock). " +
        "Requests with fields that are not described here are refused; answers may get more fields in later versions.",
      version: "1",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://localhost", description: "The unix socket; the host name is of no meaning." }],
    paths,
    components: { responses: { Refusal: refusal } },
  };
  return schemas.resolve(document);
}

function pathItem(path: string): Record<string, unknown> {
  const name = path.match(/\{(\w+)\}/)?.[1];
  if (name === undefined) return {};
  const description = `A ${name}'s name, its id, or the beginning of its id.`;
  return { parameters: [{ name, in: "path", required: true, description, schema: { type: "string" } }] };
}

function operation(route: AnyRoute, schemas: SchemaCollection): Json {
  const { operation: operationId, summary, query, body, answer } = route;
  const parameters = query === undefined ? [] : queryParameters(query, schemas);
  return {
    operationId,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: jsonContent(schemas.request(body)) } }),
    responses: {
      ...answerOf(answer, schemas),
      default: { $ref: "#/components/responses/Refusal" },
    },
  };
}

function queryParameters(query: z.ZodObject, schemas: SchemaCollection): readonly Json[] {
  return Object.entries(query.shape).map(([name, word]) => {
    if (word === FiltersText)
      return {
        name,
        in: "query",
        description: "A JSON text.",
        content: jsonContent({ $ref: "#/components/schemas/Filters" }),
      };
    const { description, ...schema } = schemas.request(word as z.ZodType); // a shape's values are schemas
    return { name, in: "query", ...(description === undefined ? {} : { description }), schema };
  });
}

function answerOf(answer: AnswerShape, schemas: SchemaCollection): Json {
  switch (answer.kind) {
    case "json":
      return {
        [answer.status]: {
          description: answer.status === 201 ? "Made." : "Done.",
          content: jsonContent(schemas.answer(answer.schema)),
        },
      };
    case "list":
      return {
        200: { description: "The list.", content: jsonContent(schemas.answer(z.array(answer.item))) },
      };
    case "nothing":
      return { 204: { description: "Done." } };
    case "text":
      return {
        200: { description: "A text.", content: { [answer.contentType]: { schema: { type: "string" } } } },
      };
    case "lines":
      return {
        200: {
          description:
            "One JSON document a line, as they come. Empty lines say only that the daemon is there.",
          content: { "application/x-ndjson": { schema: schemas.answer(answer.item) } },
        },
      };
    case "bytes":
      return { 200: { description: "Bytes, as they come.", content: { [answer.contentType]: {} } } };
  }
}

function jsonContent(schema: Json): Json {
  return { "application/json": { schema } };
}
