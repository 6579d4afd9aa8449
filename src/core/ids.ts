import type { Random } from "./clock.ts";
import { WeftError } from "./errors.ts";

declare const idBrand: unique symbol;

/** The id of a network, endpoint or sandbox: 64 lower-case hexadecimal digits, as Docker's. */
export type Id = string & { readonly [idBrand]: true };

const fullId = /^[0-9a-f]{64}$/;
const idPrefix = /^[0-9a-f]{1,64}$/;

/** A new id of 32 random bytes. */
export function newId(random: Random): Id {
  return Buffer.from(random.bytes(32)).toString("hex") as Id; // 32 bytes give 64 hex digits
}

/** True when `text` has the form of a whole id. */
export function isId(text: string): text is Id {
  return fullId.test(text);
}

/** Checks `text` to be a whole id. Throws INVALID_ID. */
export function parseId(text: string): Id {
  if (!isId(text))
    throw new WeftError(
      "INVALID_ID",
      `invalid id ${JSON.stringify(text)}: it should be 64 hexadecimal digits`,
    );
  return text;
}

/** The first 12 digits, which people see and links are named by. */
export function shortId(id: Id): string {
  return id.slice(0, 12);
}

/**
 * The id among `ids` that begins with `prefix`; undefined when none does.
 * Throws AMBIGUOUS_ID when several do and none is `prefix` itself.
 */
export function findByPrefix(ids: Iterable<Id>, prefix: string): Id | undefined {
  if (!idPrefix.test(prefix)) return undefined;
  const matches: Id[] = [];
  for (const id of ids) {
    if (id === prefix) return id;
    if (id.startsWith(prefix)) matches.push(id);
  }
  if (matches.length > 1) {
    throw new WeftError(
      "AMBIGUOUS_ID",
      `${matches.length} matches found based on ID prefix: ${prefix} is ambiguous`,
    );
  }
  return matches[0];
}
