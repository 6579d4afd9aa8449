import { Hono } from "hono";
import { isWeftError, WeftError } from "../../core/index.ts";
import type { AppContext, Bindings } from "./bindings.ts";
import { checkedRequest } from "./checked-request.ts";
import { jsonText } from "./json-text.ts";
import { leaveUnread } from "./last-words.ts";
import { errorBody, statusOf } from "./refusal.ts";
import type { AnyRoute } from "./route.ts";
import { routes } from "./routes/index.ts";
import { sendAnswer } from "./send-answer.ts";

/** The routes as an application: `app.fetch(request, bindings)`. */
export const app = new Hono<{ Bindings: Bindings }>();

for (const route of routes)
  app.on(route.method, pattern(route.path), async (context) => {
    refuseUnfit(context, route);
    const result = await route.run(context.env.service, await checkedRequest(context, route));
    return sendAnswer(context, route.answer, result);
  });
app.notFound((context) => refuse(context, noSuchRoute(context)));
app.onError((error, context) => refuse(context, error));

/** A stream has no end that a HEAD could tell of, and a request in memory nowhere to be sent to. */
function refuseUnfit(context: AppContext, { method, path, answer, notPlanned }: AnyRoute): void {
  const isStream = answer.kind === "lines" || answer.kind === "bytes";
  if (isStream && context.req.method === "HEAD") throw noSuchRoute(context);
  if (context.env.exchange === undefined && (notPlanned === true || method === "GET"))
    throw new WeftError("INVALID_REQUEST", `${method} ${path} changes nothing that could be planned`);
}

/** Answers with what `error` says, and logs what is not the client's fault. */
function refuse(context: AppContext, error: unknown): Response {
  const { exchange, signal, log } = context.env;
  const status = statusOf(error);
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (status === 405) headers.Allow = methodsOf(context.req.path).join(", ");
  if (exchange !== undefined && leaveUnread(exchange.incoming, exchange.limits.lingerMs))
    headers.Connection = "close";
  const vanished = isWeftError(error, "ABORTED") && signal.aborted;
  if (status >= 500 && !vanished)
    log?.error({ err: error, method: context.req.method, path: context.req.path, status }, "request failed");
  return context.body(jsonText(errorBody(error)), status, headers);
}

function noSuchRoute(context: AppContext): WeftError {
  const { method, path } = context.req;
  const methods = methodsOf(path);
  if (methods.length > 0)
    return new WeftError(
      "METHOD_NOT_ALLOWED",
      `${path} cannot be asked for with ${method}: it takes ${methods.join(", ")}`,
    );
  return new WeftError(
    "ROUTE_NOT_FOUND",
    `no such path ${JSON.stringify(path)}: GET /v1/openapi.json lists those there are`,
  );
}

const matchers = routes.map(({ method, path }) => ({
  method,
  matches: new RegExp(`^${path.replace(/[.]/g, "\\.").replace(/\{\w+\}/, "[^/]+")}$`),
}));

function methodsOf(path: string): readonly string[] {
  return matchers.filter(({ matches }) => matches.test(path)).map(({ method }) => method);
}

/** As hono writes it. */
function pattern(path: string): string {
  return path.replace(/\{(\w+)\}/, ":$1");
}
