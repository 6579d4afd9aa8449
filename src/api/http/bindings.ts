import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "hono";
import type { HostService } from "../host-service.ts";
import type { HttpLog } from "./http-log.ts";
import type { HttpLimits } from "./limits.ts";

/** A request on a connection. */
export interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly limits: HttpLimits;
  /** Its client sends the body when it is told to (Expect: 100-continue). */
  readonly awaitsContinue: boolean;
}

/** What a request is answered by. */
export interface Bindings {
  readonly service: HostService;
  /** Fires when the client has gone, or the server closes. */
  readonly signal: AbortSignal;
  readonly log?: HttpLog | undefined;
  /** Where it came from; a request in memory has none. */
  readonly exchange?: Exchange | undefined;
  /** The body of a request in memory; undefined when it has none. */
  readonly body?: unknown;
}

/** A request on its way through the application. */
export type AppContext = Context<{ Bindings: Bindings }>;
