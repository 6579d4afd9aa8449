import type { z } from "zod";
import type { HostService } from "../host-service.ts";

/** What a route answers with when it refuses nothing. */
export type AnswerShape =
  /** One JSON document. */
  | { readonly kind: "json"; readonly status: 200 | 201; readonly schema: z.ZodType }
  /** A JSON array, sent in pieces as it is read. */
  | { readonly kind: "list"; readonly item: z.ZodType }
  /** Status 204. */
  | { readonly kind: "nothing" }
  | { readonly kind: "text"; readonly contentType: string }
  /** One JSON document a line, as they come; empty lines mean nothing but that the daemon is there. */
  | { readonly kind: "lines"; readonly item: z.ZodType }
  /** Bytes, as they come. */
  | { readonly kind: "bytes"; readonly contentType: string };

/** What a route's `run` gives for its answer's shape. */
type AnswerOf<A extends AnswerShape> = A extends {
  readonly kind: "json";
  readonly schema: infer S extends z.ZodType;
}
  ? z.output<S>
  : A extends { readonly kind: "list"; readonly item: infer S extends z.ZodType }
    ? readonly z.output<S>[]
    : A extends { readonly kind: "nothing" }
      ? unknown // nothing of it is sent
      : A extends { readonly kind: "text" }
        ? string
        : A extends { readonly kind: "lines"; readonly item: infer S extends z.ZodType }
          ? AsyncIterable<z.output<S>>
          : AsyncIterable<Uint8Array>;

/** A request that was checked. */
export interface RouteInput<Query, Body> {
  /** The name or id in the path; empty when the path has none. */
  readonly reference: string;
  readonly query: Query;
  readonly body: Body;
  /** Fires when the client has gone or the server closes. For what only waits or tells; what changes something goes on. */
  readonly signal: AbortSignal;
}

/** One thing that can be asked for: how it is asked, what is checked, what answers. The OpenAPI file says the same. */
export interface Route<
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
  Answer extends AnswerShape = AnswerShape,
> {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** As OpenAPI writes it; at most one `{name}`. */
  readonly path: string;
  /** Its operationId: the method of HostService and of the client. */
  readonly operation: string;
  /** One line for people. */
  readonly summary: string;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: Answer;
  /** It cannot be tried out by POST /v1/plan: it changes nothing in the kernel, or only waits. */
  readonly notPlanned?: true;
  run(
    service: HostService,
    input: RouteInput<z.output<Query>, z.output<Body>>,
  ): AnswerOf<Answer> | Promise<AnswerOf<Answer>>;
}

/** A route whose types were checked where it was written. */
export type AnyRoute = Omit<Route, "run"> & {
  run(service: HostService, input: RouteInput<unknown, unknown>): unknown;
};

/** Checks a route's `run` against its own schemas, and forgets them. */
export function route<Query extends z.ZodObject, Body extends z.ZodType, Answer extends AnswerShape>(
  definition: Route<Query, Body, Answer>,
): AnyRoute {
  return definition as unknown as AnyRoute; // what `run` is called with has passed the schemas that stand beside it
}
