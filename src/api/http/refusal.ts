import { type ErrorCode, type ErrorKind, isWeftError, messageOf } from "../../core/index.ts";
import type { ErrorBody } from "../schema/index.ts";

/** The one place where kinds of errors become HTTP statuses. */
const statusOfKind = {
  InvalidParameter: 400,
  NotFound: 404,
  Conflict: 409,
  Forbidden: 403,
  Unavailable: 503,
  NotImplemented: 501,
  Internal: 500,
} as const satisfies Readonly<Record<ErrorKind, number>>;

/** Refusals of HTTP itself, which has statuses of its own for them (RFC 9110 §15.5, RFC 6585 §5). */
const statusOfCode = {
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  HEADERS_TOO_LARGE: 431,
} as const satisfies Partial<Readonly<Record<ErrorCode, number>>>;

/** The HTTP status that tells of `error`; 500 for what is no WeftError. */
export function statusOf(error: unknown) {
  if (!isWeftError(error)) return statusOfKind.Internal;
  const { code } = error;
  return code in statusOfCode ? statusOfCode[code as keyof typeof statusOfCode] : statusOfKind[error.kind]; // `in` does not narrow
}

/** What a client is told of `error`. What is no WeftError is a defect, and is told as INTERNAL. */
export function errorBody(error: unknown): ErrorBody {
  if (!isWeftError(error)) return { message: `internal error: ${messageOf(error)}`, code: "INTERNAL" };
  const { message, code, details } = error;
  return Object.keys(details).length === 0 ? { message, code } : { message, code, details };
}
