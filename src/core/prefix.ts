import {
  addressFromBigInt,
  addressToBigInt,
  bitsOf,
  compareAddresses,
  type Family,
  familyOf,
  type IpAddress,
  parseAddress,
} from "./address.ts";
import { WeftError } from "./errors.ts";

declare const prefixBrand: unique symbol;
declare const interfaceBrand: unique symbol;

/** A network: an address without host bits and a length, `10.0.0.0/24`, canonical text. */
export type Prefix = string & { readonly [prefixBrand]: true };

/** An address on a network: `10.0.0.2/24`, canonical text; what a link is given. */
export type InterfaceAddress = string & { readonly [interfaceBrand]: true };

const lengthText = /^(0|[1-9][0-9]{0,2})$/;

function split(text: string): { address: IpAddress; length: number } {
  const slash = text.indexOf("/");
  const lengthPart = slash < 0 ? "" : text.slice(slash + 1);
  const invalid = (why: string, cause?: unknown) =>
    new WeftError("INVALID_PREFIX", `invalid CIDR ${JSON.stringify(text)}: ${why}`, { cause });
  if (!lengthText.test(lengthPart)) throw invalid("it should be ADDRESS/LENGTH");
  let address: IpAddress;
  try {
    address = parseAddress(text.slice(0, slash));
  } catch (cause) {
    throw invalid("its address cannot be read", cause);
  }
  const length = Number(lengthPart);
  const bits = bitsOf(familyOf(address));
  if (length > bits) throw invalid(`the length should be at most ${bits}`);
  return { address, length };
}

/** Reads a network in CIDR form. Throws INVALID_PREFIX, also when host bits are set, naming the right form. */
export function parsePrefix(text: string): Prefix {
  const { address, length } = split(text);
  const prefix = prefixOf(address, length);
  if (prefix !== `${address}/${length}`) {
    throw new WeftError("INVALID_PREFIX", `invalid prefix ${text}: it should be ${prefix}`);
  }
  return prefix;
}

/** Reads an address with its prefix length. Throws INVALID_PREFIX. */
export function parseInterfaceAddress(text: string): InterfaceAddress {
  const { address, length } = split(text);
  return interfaceAddress(address, length);
}

/** `address` with prefix length `length`. */
export function interfaceAddress(address: IpAddress, length: number): InterfaceAddress {
  return `${address}/${length}` as InterfaceAddress; // both parts are canonical
}

/** The network of `length` bits that `address` lies in. */
export function prefixOf(address: IpAddress, length: number): Prefix {
  const family = familyOf(address);
  const hostBits = BigInt(bitsOf(family) - length);
  const network = (addressToBigInt(address) >> hostBits) << hostBits;
  return `${addressFromBigInt(family, network)}/${length}` as Prefix; // host bits were just cleared
}

/** The address part of a prefix or interface address. */
export function addressPart(cidr: Prefix | InterfaceAddress): IpAddress {
  return cidr.slice(0, cidr.indexOf("/")) as IpAddress; // canonical text has a canonical address
}

/** The prefix length, in bits. */
export function lengthOf(cidr: Prefix | InterfaceAddress): number {
  return Number(cidr.slice(cidr.indexOf("/") + 1));
}

/** The network that an interface address lies in. */
export function networkOf(address: InterfaceAddress): Prefix {
  return prefixOf(addressPart(address), lengthOf(address));
}

/** How many addresses the prefix holds, network and broadcast address included. */
export function sizeOf(prefix: Prefix): bigint {
  return 1n << BigInt(bitsOf(familyOf(prefix)) - lengthOf(prefix));
}

/** The lowest address of the prefix. */
export function firstAddress(prefix: Prefix): IpAddress {
  return addressPart(prefix);
}

/** The highest address of the prefix; for IPv4 its broadcast address. */
export function lastAddress(prefix: Prefix): IpAddress {
  return addressFromBigInt(familyOf(prefix), addressToBigInt(addressPart(prefix)) + sizeOf(prefix) - 1n);
}

/** The values of the first and the last address of a prefix, for those who compare one with many. */
export interface PrefixRange {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** Prefixes are compared with each other again and again: a new network's with all there are. */
const ranges = new Map<Prefix, PrefixRange>();
const maxRanges = 16_384;

/** The range of a prefix. */
export function rangeOf(prefix: Prefix): PrefixRange {
  const known = ranges.get(prefix);
  if (known !== undefined) return known;
  const first = addressToBigInt(addressPart(prefix));
  const range = { family: familyOf(prefix), first, last: first + sizeOf(prefix) - 1n };
  if (ranges.size >= maxRanges) ranges.clear();
  ranges.set(prefix, range);
  return range;
}

/** True when `address` lies in `prefix`; never across families. */
export function contains(prefix: Prefix, address: IpAddress): boolean {
  const { family, first, last } = rangeOf(prefix);
  if (family !== familyOf(address)) return false;
  const value = addressToBigInt(address);
  return first <= value && value <= last;
}

/** True when `inner` is `outer` or a part of it. */
export function containsPrefix(outer: Prefix, inner: Prefix): boolean {
  const [o, i] = [rangeOf(outer), rangeOf(inner)];
  return o.family === i.family && o.first <= i.first && i.last <= o.last;
}

/** True when the two share an address; for prefixes that means that one holds the other. */
export function overlaps(a: Prefix, b: Prefix): boolean {
  return rangesOverlap(rangeOf(a), rangeOf(b));
}

/** {@link overlaps} for ranges. */
export function rangesOverlap(a: PrefixRange, b: PrefixRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** Orders prefixes: by family, then address, then the shorter (larger) first. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  return compareAddresses(addressPart(a), addressPart(b)) || lengthOf(a) - lengthOf(b);
}

/** `0.0.0.0/0` or `::/0`. */
export function defaultPrefix(family: Family): Prefix {
  return (family === 4 ? "0.0.0.0/0" : "::/0") as Prefix; // canonical as written
}
