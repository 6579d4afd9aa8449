import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { WeftError } from "../../core/index.ts";
import type { AppContext, Exchange } from "./bindings.ts";
import { jsonText } from "./json-text.ts";
import type { AnswerShape } from "./route.ts";
import { begin, sendBytes, sendLines, sendList } from "./streams.ts";

/**
 * Answers with what a route's `run` gave. Of a stream, what it refuses before its first item is thrown. What
 * comes to grief later cuts the connection, so that no client takes a part for the whole.
 */
export async function sendAnswer(
  context: AppContext,
  answer: AnswerShape,
  result: unknown,
): Promise<Response> {
  const { exchange } = context.env;
  switch (answer.kind) {
    case "nothing":
      return context.body(null, 204);
    case "text":
      return context.body(String(result), 200, { "Content-Type": answer.contentType });
    case "json":
      return context.body(jsonText(result), answer.status, { "Content-Type": "application/json" });
  }
  if (exchange === undefined) throw new WeftError("INTERNAL", "a stream was asked for in memory");
  const { outgoing, limits } = exchange;
  // The route's type says what `run` gives for each kind of answer; it is forgotten in the table of routes.
  switch (answer.kind) {
    case "list": {
      const items = result as readonly unknown[];
      return written(context, sendList(outgoing, items));
    }
    case "lines": {
      const stream = await begin(result as AsyncIterable<unknown>, limits.firstItemMs);
      return written(context, ended(context, exchange, sendLines(outgoing, stream, limits.heartbeatMs)));
    }
    case "bytes": {
      const stream = await begin(result as AsyncIterable<Uint8Array>, limits.firstItemMs);
      return written(context, ended(context, exchange, sendBytes(outgoing, stream, answer.contentType)));
    }
  }
}

/** Ends a stream's answer; not when it was told to end, because the daemon closes: that is not its end. */
async function ended({ env }: AppContext, exchange: Exchange, sending: Promise<void>): Promise<void> {
  await sending;
  if (env.signal.aborted) exchange.incoming.socket.destroySoon();
  else exchange.outgoing.end();
}

async function written(context: AppContext, sending: Promise<void>): Promise<Response> {
  const { exchange, signal, log } = context.env;
  try {
    await sending;
  } catch (error) {
    const { method, path } = context.req;
    if (!signal.aborted) log?.error({ err: error, method, path }, "answer cut off");
    exchange?.incoming.socket.destroySoon(); // what was written is still sent, the end of the body is not
  }
  return RESPONSE_ALREADY_SENT;
}
