import type { IncomingMessage } from "node:http";
import { WeftError } from "../../core/index.ts";

/** True when a request says that a body follows (RFC 9112 §6.3). */
export function hasBody(incoming: IncomingMessage): boolean {
  const length = incoming.headers["content-length"];
  return incoming.headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/** Throws BODY_TOO_LARGE when a request says that its body is of more than `limit` bytes. */
export function refuseLargeBody(incoming: IncomingMessage, limit: number): void {
  if (Number(incoming.headers["content-length"] ?? 0) > limit) throw tooLarge(limit);
}

/**
 * All of a request's body. Throws BODY_TOO_LARGE for more than `limit` bytes, of which no more are taken than
 * had come already, and ABORTED when the connection ends before the body does.
 */
export function readBody(incoming: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const leave = () => {
      incoming.off("data", take).off("end", end).off("close", lost).off("error", lost);
    };
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= limit) return;
      leave();
      incoming.pause();
      reject(tooLarge(limit));
    };
    const end = () => {
      leave();
      resolve(Buffer.concat(chunks, length));
    };
    const lost = () => {
      leave();
      reject(new WeftError("ABORTED", "the client went away before its request had ended"));
    };
    incoming.on("data", take).on("end", end).on("close", lost).on("error", lost);
  });
}

/**
 * A body's JSON. Throws INVALID_REQUEST for what is none, for broken UTF-8, and for a key `__proto__`, which
 * would not arrive where the author meant it to.
 */
export function parseBody(bytes: Uint8Array): unknown {
  if (bytes.length === 0)
    throw new WeftError("INVALID_REQUEST", "invalid request: body: missing; expected a JSON object");
  try {
    const text = utf8.decode(bytes);
    return text.includes("__proto__") ? JSON.parse(text, refuseProto) : JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new WeftError("INVALID_REQUEST", `invalid request: body: expected JSON, ${why}`, { cause });
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function refuseProto(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new SyntaxError('without the key "__proto__"');
  return value;
}

function tooLarge(limit: number): WeftError {
  return new WeftError("BODY_TOO_LARGE", `the request's body is too large: at most ${limit} bytes are taken`);
}
