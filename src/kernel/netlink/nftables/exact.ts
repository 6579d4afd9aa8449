import { type AttributeShape, type AttributeValues, attributes, readAttributes } from "../attributes.ts";
import type { Codec } from "../wire.ts";

/** NFTA_*_PAD: alignment before a 64-bit attribute; carries nothing. */
export interface ExactOptions {
  readonly pad?: number;
}

/**
 * Like {@link attributes}, but reading throws RangeError for a number that is not declared. Rules are
 * compared, so what is not understood must not be lost: the caller keeps the bytes instead.
 */
export function exactly<const S extends AttributeShape>(
  shape: S,
  options: ExactOptions = {},
): Codec<AttributeValues<S>> {
  const codec = attributes(shape);
  const known = new Set(Object.values(shape).map((one) => one.number));
  if (options.pad !== undefined) known.add(options.pad);
  return {
    write: codec.write,
    read(bytes) {
      for (const { number } of readAttributes(bytes))
        if (!known.has(number)) throw new RangeError(`attribute ${number} is not declared`);
      return codec.read(bytes);
    },
  };
}

/** `value`, or RangeError when a message lacks what it must have. */
export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new RangeError(`${what} is missing`);
  return value;
}
