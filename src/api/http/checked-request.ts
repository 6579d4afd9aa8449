import { WeftError } from "../../core/index.ts";
import type { AppContext, Exchange } from "./bindings.ts";
import { check } from "./check.ts";
import { hasBody, parseBody, readBody, refuseLargeBody } from "./request-body.ts";
import type { AnyRoute, RouteInput } from "./route.ts";

const jsonType = /^application\/json *(?:; *charset="?utf-8"? *)?$/i;

/** A request as its route's schemas read it. Throws INVALID_REQUEST, UNSUPPORTED_MEDIA_TYPE and BODY_TOO_LARGE. */
export async function checkedRequest(
  context: AppContext,
  route: AnyRoute,
): Promise<RouteInput<unknown, unknown>> {
  const query = checkedQuery(new URL(context.req.url).searchParams, route);
  const body = await checkedBody(context, route);
  const reference = Object.values(context.req.param())[0] ?? "";
  return { reference, query, body, signal: context.env.signal };
}

function checkedQuery(words: URLSearchParams, route: AnyRoute): unknown {
  for (const name of words.keys()) {
    if (route.query === undefined)
      throw invalid(`query: unknown word ${JSON.stringify(name)}; there is none`);
    if (words.getAll(name).length > 1) throw invalid(`${name}: given more than once`);
  }
  return route.query === undefined ? undefined : check(route.query, Object.fromEntries(words), "query");
}

async function checkedBody({ env }: AppContext, route: AnyRoute): Promise<unknown> {
  const { exchange } = env;
  if (route.body !== undefined)
    return check(route.body, exchange === undefined ? env.body : await bodyOf(exchange), "body");
  if (exchange === undefined ? env.body !== undefined : hasBody(exchange.incoming))
    throw invalid(`body: ${route.method} ${route.path} takes none`);
  return undefined;
}

async function bodyOf({ incoming, outgoing, limits, awaitsContinue }: Exchange): Promise<unknown> {
  const type = incoming.headers["content-type"] ?? "";
  if (hasBody(incoming) && !jsonType.test(type))
    throw new WeftError(
      "UNSUPPORTED_MEDIA_TYPE",
      `unsupported Content-Type ${JSON.stringify(type)}: it should be application/json`,
    );
  refuseLargeBody(incoming, limits.bodyBytes);
  if (awaitsContinue) outgoing.writeContinue();
  return parseBody(await readBody(incoming, limits.bodyBytes));
}

function invalid(words: string): WeftError {
  return new WeftError("INVALID_REQUEST", `invalid request: ${words}`);
}
