import { type ErrorCode, errorCatalogue } from "../../core/error-catalogue.ts";
import { WeftError } from "../../core/errors.ts";

/**
 * What the daemon refused with, as it was thrown there. A code that this version does not know, from a newer
 * daemon, becomes BAD_ANSWER with the daemon's message, and its code in the details.
 */
export function errorOfAnswer(status: number, text: string): WeftError {
  const body = parse(text);
  if (body === undefined)
    return new WeftError("BAD_ANSWER", `the daemon answered with status ${status} and no reason`);
  const { message, code, details } = body;
  if (isErrorCode(code)) return new WeftError(code, message, { details });
  return new WeftError("BAD_ANSWER", message, { details: { ...details, code, status } });
}

interface Refusal {
  readonly message: string;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
}

function parse(text: string): Refusal | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof body !== "object" || body === null || !("message" in body) || !("code" in body))
    return undefined;
  const { message, code } = body;
  if (typeof message !== "string" || typeof code !== "string") return undefined;
  const details = "details" in body && typeof body.details === "object" ? { ...body.details } : {};
  return { message, code, details };
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}
