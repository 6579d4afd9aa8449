import { z } from "zod";
import { openApiDocument } from "../openapi.ts";
import { type AnyRoute, route } from "../route.ts";
import { hostRoutes } from "./host-routes.ts";
import { networkRoutes } from "./network-routes.ts";
import { sandboxRoutes } from "./sandbox-routes.ts";

const openApiRoute = route({
  method: "GET",
  path: "/v1/openapi.json",
  operation: "openapi",
  summary: "This description.",
  answer: { kind: "json", status: 200, schema: z.record(z.string(), z.unknown()) },
  run: () => openApi(),
});

/** Everything that can be asked for. */
export const routes: readonly AnyRoute[] = [...hostRoutes, ...networkRoutes, ...sandboxRoutes, openApiRoute];

let document: Readonly<Record<string, unknown>> | undefined;

/** The OpenAPI 3.1 description of {@link routes}; docs/openapi.json is its text. */
export function openApi(): Record<string, unknown> {
  document ??= openApiDocument(routes);
  return document;
}
