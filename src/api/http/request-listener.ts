import type http from "node:http";
import { getRequestListener, RequestError } from "@hono/node-server";
import { WeftError } from "../../core/index.ts";
import type { HostService } from "../host-service.ts";
import { app } from "./app.ts";
import type { ConnectionGuard } from "./connection-guard.ts";
import type { HttpLog } from "./http-log.ts";
import { jsonText } from "./json-text.ts";
import { leaveUnread } from "./last-words.ts";
import type { HttpLimits } from "./limits.ts";
import { errorBody, statusOf } from "./refusal.ts";

/** What requests are answered with. */
export interface RequestListenerParts {
  readonly service: HostService;
  readonly limits: HttpLimits;
  readonly log: HttpLog;
  /** Fires when the server closes. */
  readonly stop: AbortSignal;
  readonly guard: ConnectionGuard;
}

/** Answers the requests of `server` by the application. */
export function answerRequests(server: http.Server, parts: RequestListenerParts): void {
  const answer = (incoming: http.IncomingMessage, outgoing: http.ServerResponse, awaitsContinue: boolean) => {
    if (parts.guard.admit(incoming.socket, outgoing))
      answerRequest(incoming, outgoing, awaitsContinue, parts);
  };
  server.on("request", (incoming, outgoing) => answer(incoming, outgoing, false));
  // Left alone, Node would invite a body before anybody has looked at how long it is.
  server.on("checkContinue", (incoming, outgoing) => answer(incoming, outgoing, true));
}

function answerRequest(
  incoming: http.IncomingMessage,
  outgoing: http.ServerResponse,
  awaitsContinue: boolean,
  { service, limits, log, stop }: RequestListenerParts,
): void {
  const begun = performance.now();
  const gone = new AbortController();
  const leave = () => gone.abort(new WeftError("ABORTED", "the daemon is closing"));
  stop.addEventListener("abort", leave);
  outgoing.once("close", () => {
    stop.removeEventListener("abort", leave);
    gone.abort(new WeftError("ABORTED", "the client went away"));
    if (stop.aborted) incoming.socket.destroySoon();
    logRequest(log, incoming, outgoing, performance.now() - begun);
  });
  const listener = getRequestListener(
    (request) =>
      app.fetch(request, {
        service,
        signal: gone.signal,
        log,
        exchange: { incoming, outgoing, limits, awaitsContinue },
      }),
    {
      hostname: "localhost",
      overrideGlobalObjects: false,
      autoCleanupIncoming: false,
      errorHandler: (error) => {
        if (!(error instanceof RequestError)) log.error({ err: error }, "request failed");
        return refuseRaw(error, incoming, limits);
      },
    },
  );
  void listener(incoming, outgoing);
}

/** What did not reach the application: a path or a Host header that make no URL. All else is a defect. */
function refuseRaw(cause: unknown, incoming: http.IncomingMessage, limits: HttpLimits): Response {
  const isRequest = cause instanceof RequestError;
  const error = isRequest ? new WeftError("INVALID_REQUEST", `invalid request: ${cause.message}`) : cause;
  leaveUnread(incoming, limits.lingerMs);
  return new Response(jsonText(errorBody(error)), {
    status: statusOf(error),
    headers: { "Content-Type": "application/json", Connection: "close" },
  });
}

/** One line a request; its query and body stay out of it, for they may hold secrets. */
function logRequest(
  log: HttpLog,
  { method, url = "" }: http.IncomingMessage,
  outgoing: http.ServerResponse,
  ms: number,
): void {
  const [path] = url.split("?", 1);
  const status = outgoing.headersSent ? outgoing.statusCode : undefined;
  log.debug(
    { method, path, status, ms: Math.round(ms * 10) / 10, answered: outgoing.writableFinished },
    "request",
  );
}
