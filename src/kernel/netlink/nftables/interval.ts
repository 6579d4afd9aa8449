import { addressFromBytes, bitsOf, familyOf, lengthOf, parsePrefix } from "../../../core/index.ts";
import type { FieldValue } from "./datatypes.ts";
import { decodeField, encodeField, type FieldType } from "./field.ts";

/** All values from `from` to `to`, both included. */
export interface FieldRange {
  readonly from: FieldValue;
  readonly to: FieldValue;
}

/**
 * One part of an element's key: a value, and in a set of intervals also a prefix ("10.0.0.0/8") or a
 * range. What is read back is in the shortest form: a value if there is only one, a prefix if it is
 * one, else a range.
 */
export type KeyPart = FieldValue | FieldRange;

/** The lowest and the highest value that a part stands for, as bytes. */
export interface Bounds {
  readonly low: Buffer;
  readonly high: Buffer;
}

const isAddress = (type: FieldType) => type === "ipv4_addr" || type === "ipv6_addr";

/** The bounds of a part. Throws RangeError when it is empty or its field cannot have it. */
export function boundsOf(type: FieldType, part: KeyPart): Bounds {
  if (typeof part === "object") {
    const bounds = { low: encodeField(type, part.from), high: encodeField(type, part.to) };
    if (Buffer.compare(bounds.low, bounds.high) > 0)
      throw new RangeError(`${part.from}-${part.to} is no range: its end comes first`);
    return bounds;
  }
  if (typeof part === "string" && isAddress(type) && part.includes("/")) return prefixBounds(type, part);
  const value = encodeField(type, part);
  return { low: value, high: value };
}

function prefixBounds(type: FieldType, text: string): Bounds {
  const prefix = parsePrefix(text);
  const low = encodeField(type, prefix.slice(0, prefix.indexOf("/")));
  const high = Buffer.from(low);
  for (let bit = lengthOf(prefix); bit < high.length * 8; bit++)
    high[bit >> 3] = (high[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return { low, high };
}

/** The shortest form of the values between two bounds. */
export function partOf(type: FieldType, { low, high }: Bounds): KeyPart {
  if (low.equals(high)) return decodeField(type, low);
  if (isAddress(type)) {
    const length = prefixLength(low, high);
    if (length !== undefined) return `${addressFromBytes(low)}/${length}`;
  }
  return { from: decodeField(type, low), to: decodeField(type, high) };
}

/** The length of the prefix that ends exactly at the two bounds, in bits. */
function prefixLength(low: Buffer, high: Buffer): number | undefined {
  const lowest = addressFromBytes(low);
  const bits = bitsOf(familyOf(lowest));
  let common = 0;
  while (common < bits && bitAt(low, common) === bitAt(high, common)) common++;
  for (let bit = common; bit < bits; bit++)
    if (bitAt(low, bit) !== 0 || bitAt(high, bit) !== 1) return undefined;
  return common;
}

function bitAt(bytes: Buffer, bit: number): number {
  return ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;
}

/** The value after the highest of an interval, where the next may begin; undefined when there is none. */
export function successor(bytes: Buffer): Buffer | undefined {
  const next = Buffer.from(bytes);
  for (let i = next.length - 1; i >= 0; i--) {
    next[i] = ((next[i] ?? 0) + 1) & 0xff;
    if (next[i] !== 0) return next;
  }
  return undefined;
}

/** The value before. */
export function predecessor(bytes: Buffer): Buffer {
  const previous = Buffer.from(bytes);
  for (let i = previous.length - 1; i >= 0; i--) {
    previous[i] = ((previous[i] ?? 0) + 0xff) & 0xff;
    if (previous[i] !== 0xff) break;
  }
  return previous;
}
