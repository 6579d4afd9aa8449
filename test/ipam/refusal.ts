import { type ErrorCode, isWeftError } from "../../src/core/index.ts";

/** What `assert.throws` and `assert.rejects` take, for a WeftError of `code` with exactly this message. */
export function refusal(code: ErrorCode, message: string): (error: unknown) => boolean {
  return (error) => isWeftError(error, code) && error.message === message;
}
