import { WeftError } from "../core/index.ts";
import type { StoreKey } from "./store.ts";

/** The longest key, in bytes (and characters, since keys are ASCII). */
export const maxKeyLength = 500;

const printable = /^[ -~]*$/;

/** Throws INTERNAL unless `key` is 1 to 500 printable ASCII characters: keys are made by weft, not by users. */
export function checkKey(key: StoreKey): void {
  if (key === "") throw new WeftError("INTERNAL", "invalid store key: it is empty");
  checkPrefix(key);
}

/** Like {@link checkKey}, but the empty prefix, which every key begins with, is allowed. */
export function checkPrefix(prefix: string): void {
  if (prefix.length > maxKeyLength) {
    throw new WeftError(
      "INTERNAL",
      `invalid store key: it has ${prefix.length} characters, at most ${maxKeyLength} are allowed`,
    );
  }
  if (!printable.test(prefix)) {
    throw new WeftError(
      "INTERNAL",
      `invalid store key ${JSON.stringify(prefix)}: it should be printable ASCII only`,
    );
  }
}

/** The first text after every key that begins with `prefix`; undefined for the empty prefix: there is none. */
export function endOfPrefix(prefix: string): string | undefined {
  if (prefix === "") return undefined;
  // No carry is needed: the greatest character of a key is "~", and the one after it is ASCII too.
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}
