import { WeftError } from "./errors.ts";

declare const family4: unique symbol;
declare const family6: unique symbol;

/** An IPv4 address in its canonical text, `10.0.0.1`. */
export type Ipv4 = string & { readonly [family4]: true };
/** An IPv6 address in its canonical text (RFC 5952), `2001:db8::1`; no zone. */
export type Ipv6 = string & { readonly [family6]: true };
/** An address of either family. Two are the same address exactly when they are the same text. */
export type IpAddress = Ipv4 | Ipv6;
/** 4 or 6, as people write IPv4 and IPv6. */
export type Family = 4 | 6;

/** The family of a canonical address or prefix. */
export function familyOf(text: string): Family {
  return text.includes(":") ? 6 : 4;
}

/** Narrows to IPv4. */
export function isIpv4(address: IpAddress): address is Ipv4 {
  return familyOf(address) === 4;
}

/** Narrows to IPv6. */
export function isIpv6(address: IpAddress): address is Ipv6 {
  return familyOf(address) === 6;
}

/** Number of bits in an address of the family: 32 or 128. */
export function bitsOf(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/**
 * Reads an IPv4 address in dotted-quad form (no leading zeros, as inet_pton) or an IPv6 address in
 * any form of RFC 4291 §2.2 without a zone, and gives its canonical text. Throws INVALID_ADDRESS.
 */
export function parseAddress(text: string): IpAddress {
  const bytes = bytesFromText(text);
  if (bytes === undefined) throw new WeftError("INVALID_ADDRESS", `invalid address ${JSON.stringify(text)}`);
  return addressFromBytes(bytes);
}

/** Like {@link parseAddress}, for IPv4 only. Throws INVALID_ADDRESS. */
export function parseIpv4(text: string): Ipv4 {
  const address = parseAddress(text);
  if (!isIpv4(address))
    throw new WeftError("INVALID_ADDRESS", `invalid IPv4 address ${JSON.stringify(text)}`);
  return address;
}

/** Like {@link parseAddress}, for IPv6 only. Throws INVALID_ADDRESS. */
export function parseIpv6(text: string): Ipv6 {
  const address = parseAddress(text);
  if (!isIpv6(address))
    throw new WeftError("INVALID_ADDRESS", `invalid IPv6 address ${JSON.stringify(text)}`);
  return address;
}

/** The 4 or 16 bytes of an address, in network order. */
export function addressToBytes(address: IpAddress): Uint8Array {
  const bytes = bytesFromText(address);
  if (bytes === undefined)
    throw new WeftError("INVALID_ADDRESS", `invalid address ${JSON.stringify(address)}`);
  return bytes;
}

/** The address that 4 or 16 bytes in network order stand for. Throws INVALID_ADDRESS for another length. */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return bytes.join(".") as Ipv4; // four decimal bytes are the canonical text
  if (bytes.length === 16) return formatIpv6(bytes);
  throw new WeftError("INVALID_ADDRESS", `invalid address of ${bytes.length} bytes: it should have 4 or 16`);
}

/** The address as an unsigned integer. */
export function addressToBigInt(address: IpAddress): bigint {
  let value = 0n;
  for (const byte of addressToBytes(address)) value = (value << 8n) | BigInt(byte);
  return value;
}

/** The address of `family` with the value `value`. Throws INVALID_ADDRESS when it does not fit. */
export function addressFromBigInt(family: Family, value: bigint): IpAddress {
  const bytes = new Uint8Array(bitsOf(family) / 8);
  let rest = value;
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  if (rest !== 0n) throw new WeftError("INVALID_ADDRESS", `${value} is no IPv${family} address`);
  return addressFromBytes(bytes);
}

/** `address` + `offset`. Throws INVALID_ADDRESS when the sum leaves the family. */
export function addToAddress(address: IpAddress, offset: bigint | number): IpAddress {
  return addressFromBigInt(familyOf(address), addressToBigInt(address) + BigInt(offset));
}

/** Orders addresses: IPv4 before IPv6, then by value. */
export function compareAddresses(a: IpAddress, b: IpAddress): number {
  const left = addressToBytes(a);
  const right = addressToBytes(b);
  return left.length - right.length || Buffer.compare(left, right);
}

/** True for 169.254.0.0/16 (RFC 3927) and fe80::/10 (RFC 4291 §2.5.6). */
export function isLinkLocal(address: IpAddress): boolean {
  const [first = 0, second = 0] = addressToBytes(address);
  return isIpv4(address) ? first === 169 && second === 254 : first === 0xfe && (second & 0xc0) === 0x80;
}

/** True for 224.0.0.0/4 and ff00::/8. */
export function isMulticast(address: IpAddress): boolean {
  const [first = 0] = addressToBytes(address);
  return isIpv4(address) ? first >= 224 && first < 240 : first === 0xff;
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopback(address: IpAddress): boolean {
  return isIpv4(address) ? address.startsWith("127.") : address === "::1";
}

/** The name under which reverse DNS knows an address (RFC 1035 §3.5, RFC 3596 §2.5), without a final dot. */
export function reverseName(address: IpAddress): string {
  const bytes = addressToBytes(address);
  if (isIpv4(address)) return `${[...bytes].reverse().join(".")}.in-addr.arpa`;
  const nibbles = [...Buffer.from(bytes).toString("hex")].reverse();
  return `${nibbles.join(".")}.ip6.arpa`;
}

/** The 4 or 16 bytes that `text` stands for, or undefined. */
function bytesFromText(text: string): Uint8Array | undefined {
  return text.includes(":") ? ipv6Bytes(text) : ipv4Bytes(text);
}

const zero = 48;
const dot = 46;

/** Character by character: addresses are read far more often than anything else is. */
function ipv4Bytes(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  let part = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? dot : text.charCodeAt(i);
    if (code === dot) {
      if (digits === 0 || part > 3) return undefined;
      bytes[part++] = value;
      digits = 0;
      value = 0;
      continue;
    }
    const digit = code - zero;
    const leadingZero = digits > 0 && value === 0;
    value = value * 10 + digit;
    digits++;
    if (digit < 0 || digit > 9 || leadingZero || value > 255) return undefined;
  }
  return part === 4 ? bytes : undefined;
}

function ipv6Bytes(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groupBytes(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? groupBytes(halves[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  // "::" stands for at least one group (RFC 4291 §2.2).
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

const hexGroup = /^[0-9a-fA-F]{1,4}$/;

/** The bytes of colon-separated groups; the last may be an embedded IPv4 address if `mayEndInIpv4`. */
function groupBytes(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    if (hexGroup.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
      continue;
    }
    const embedded = mayEndInIpv4 && i === groups.length - 1 ? ipv4Bytes(group) : undefined;
    if (embedded === undefined) return undefined;
    bytes.push(...embedded);
  }
  return bytes;
}

/** The canonical text of RFC 5952: lower case, no leading zeros, the first longest run of zeros as "::". */
function formatIpv6(bytes: Uint8Array): Ipv6 {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  const mapped = groups.slice(0, 5).every((g) => g === 0) && groups[5] === 0xffff;
  if (mapped) return `::ffff:${bytes.subarray(12).join(".")}` as Ipv6; // RFC 5952 §5
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((g) => g.toString(16));
  if (length < 2) return hex.join(":") as Ipv6;
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}` as Ipv6;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (groups[end] === 0) end++;
    if (end - i > best.length) best = { start: i, length: end - i };
    i = Math.max(i, end);
  }
  return best;
}
