import { WeftError } from "../../core/index.ts";
import type { HostService } from "../host-service.ts";
import type { ErrorBody, PlanRequest } from "../schema/index.ts";
import { app } from "./app.ts";
import { errorBody, statusOf } from "./refusal.ts";

/** What a request is answered with. */
export interface Dispatched {
  readonly Status: number;
  /** The body, parsed; null without one. An {@link ErrorBody} from status 400 on. */
  readonly Answer: unknown;
}

/**
 * Lets `service` answer a request in memory, with the checks and the statuses that it would meet on the
 * socket: how POST /v1/plan tries a request out on a copy of the host. Never throws; requests that change
 * nothing that can be planned are refused with 400.
 */
export async function dispatch(service: HostService, request: PlanRequest): Promise<Dispatched> {
  const { Method, Path, Body } = request;
  if (!Path.startsWith("/")) return refused(`invalid request: Path: expected a path that begins with "/"`);
  const signal = new AbortController().signal;
  const answer = await app.fetch(new Request(new URL(`http://localhost${Path}`), { method: Method }), {
    service,
    signal,
    body: Body,
  });
  const text = await answer.text();
  return { Status: answer.status, Answer: text === "" ? null : JSON.parse(text) };
}

function refused(message: string): Dispatched {
  const error = new WeftError("INVALID_REQUEST", message);
  return { Status: statusOf(error), Answer: errorBody(error) satisfies ErrorBody };
}
