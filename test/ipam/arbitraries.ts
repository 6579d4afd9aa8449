import fc from "fast-check";
import {
  addressFromBigInt,
  addressToBigInt,
  bitsOf,
  type Family,
  firstAddress,
  type IpAddress,
  type Prefix,
  prefixOf,
  sizeOf,
} from "../../src/core/index.ts";

/** Any address of a family. */
export function anyAddress(family: Family): fc.Arbitrary<IpAddress> {
  const max = (1n << BigInt(bitsOf(family))) - 1n;
  return fc.bigInt({ min: 0n, max }).map((value) => addressFromBigInt(family, value));
}

/** Any prefix of a family with a length from `min` to `max`. */
export function anyPrefix(family: Family, min = 0, max: number = bitsOf(family)): fc.Arbitrary<Prefix> {
  return fc
    .tuple(anyAddress(family), fc.integer({ min, max }))
    .map(([address, length]) => prefixOf(address, length));
}

/** An address that `prefix` holds; its first and last more often than others. */
export function addressIn(prefix: Prefix): fc.Arbitrary<IpAddress> {
  const last = sizeOf(prefix) - 1n;
  const offset = fc.oneof(fc.constantFrom(0n, last), fc.bigInt({ min: 0n, max: last }));
  const family = prefix.includes(":") ? 6 : 4;
  return offset.map((at) => addressFromBigInt(family, addressToBigInt(firstAddress(prefix)) + at));
}
