import { WeftError } from "../core/index.ts";

/** The kernel keeps a terminal's size in two 16-bit numbers. Throws INVALID_COMMAND for what is none. */
export function checkWindowSize(columns: number, rows: number): void {
  for (const length of [columns, rows]) {
    if (Number.isInteger(length) && length >= 0 && length <= 0xffff) continue;
    throw new WeftError(
      "INVALID_COMMAND",
      `invalid terminal size ${columns}x${rows}: it should be two numbers up to 65535`,
    );
  }
}
