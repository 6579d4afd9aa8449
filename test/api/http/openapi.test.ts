import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { routes } from "../../../src/api/http/routes/index.ts";
import { openApi } from "../../../src/api/index.ts";
import { fakeService } from "../fake-service.ts";
import { ask, withServer } from "../http-fixture.ts";

interface Parameter {
  readonly name: string;
  readonly in: string;
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, unknown>>;
}

type PathItem = Readonly<Record<string, Operation>> & { readonly parameters?: readonly Parameter[] };

const document = openApi();
const paths = document.paths as Readonly<Record<string, PathItem>>; // openApiDocument makes it so

describe("the OpenAPI description", () => {
  it("has every route once, and no other", () => {
    const described = Object.entries(paths).flatMap(([path, { parameters: _, ...operations }]) =>
      Object.entries(operations).map(
        ([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`,
      ),
    );
    assert.deepEqual(
      described.sort(),
      routes.map(({ method, path, operation }) => `${method} ${path} ${operation}`).sort(),
    );
    const operations = routes.map(({ operation }) => operation);
    assert.equal(new Set(operations).size, operations.length);
  });

  it("leads with every reference to something that is there, and has nothing that none leads to", () => {
    const references = new Set(referencesIn(document));
    for (const reference of references) assert.notEqual(resolve(reference), undefined, reference);
    const { schemas } = document.components as { schemas: Readonly<Record<string, unknown>> };
    for (const name of Object.keys(schemas)) assert.ok(references.has(`#/components/schemas/${name}`), name);
  });

  it("has the parameters that its paths and queries have", () => {
    for (const { method, path, query } of routes) {
      const item = paths[path];
      const operation = item?.[method.toLowerCase()];
      const inPath = (item?.parameters ?? []).map(({ name }) => `{${name}}`);
      assert.deepEqual(inPath, path.match(/\{\w+\}/g) ?? []);
      const inQuery = (operation?.parameters ?? []).map(({ name }) => name);
      assert.deepEqual(inQuery, Object.keys(query?.shape ?? {}));
    }
  });

  it("tells requests from answers: in those nothing may be added and defaults left out", () => {
    const { schemas } = document.components as {
      schemas: Readonly<Record<string, { required?: string[]; additionalProperties?: boolean }>>;
    };
    assert.equal(schemas.SandboxCreate?.additionalProperties, false);
    assert.equal(schemas.SandboxCreate?.required, undefined);
    assert.equal(schemas.SandboxCreateOutput?.additionalProperties, undefined);
    assert.ok(schemas.SandboxCreateOutput?.required?.includes("StopSignal"));
  });

  it("says what a switch is", () => {
    assert.deepEqual(paths["/v1/sandboxes/{sandbox}"]?.delete?.parameters, [
      {
        name: "force",
        in: "query",
        description: "Kill its command first.",
        schema: { type: "boolean" },
      },
    ]);
  });

  it("is served", async () => {
    await withServer(fakeService().service, async ({ socketPath }) => {
      const { status, text } = await ask(socketPath, "GET", "/v1/openapi.json");
      assert.equal(status, 200);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(document)));
    });
  });
});

function referencesIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" && typeof inner === "string" ? [inner] : referencesIn(inner),
  );
}

function resolve(reference: string): unknown {
  let at: unknown = document;
  for (const part of reference.replace("#/", "").split("/"))
    at = typeof at === "object" && at !== null ? Reflect.get(at, part) : undefined;
  return at;
}
