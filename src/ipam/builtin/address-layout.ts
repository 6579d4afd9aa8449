import {
  addressFromBytes,
  addressToBytes,
  bitsOf,
  familyOf,
  firstAddress,
  type IpAddress,
  type Ipv4,
  isIpv4,
  lastAddress,
  lengthOf,
  type Prefix,
} from "../../core/index.ts";
import { maxBitmapSize } from "./sparse-bitmap.ts";

/**
 * Where an address stands in its pool: a region of at most 2^48 addresses, and a place in it that is
 * an exact number. A pool of up to 48 host bits (all of IPv4) is one region, 0.
 */
export interface Position {
  readonly region: bigint;
  readonly low: number;
}

/** Translates between the addresses of one prefix and their positions, which are in the same order. */
export interface AddressLayout {
  /** Addresses in a region; a power of two. */
  readonly regionSize: number;
  readonly first: Position;
  readonly last: Position;
  /** The place of `address`, or undefined when the prefix does not hold it. */
  position(address: IpAddress): Position | undefined;
  address(position: Position): IpAddress;
}

/** The layout of `prefix`. */
export function layoutOf(prefix: Prefix): AddressLayout {
  const hostBits = bitsOf(familyOf(prefix)) - lengthOf(prefix);
  if (familyOf(prefix) === 4) return ipv4Layout(prefix, 2 ** hostBits);
  return ipv6Layout(prefix, hostBits);
}

// IPv4 stays clear of bigint and byte arrays: this is the path that every container start takes.
function ipv4Layout(prefix: Prefix, size: number): AddressLayout {
  const base = ipv4Number(firstAddress(prefix));
  return {
    regionSize: size,
    first: { region: 0n, low: 0 },
    last: { region: 0n, low: size - 1 },
    position(address) {
      if (!isIpv4(address)) return undefined;
      const low = ipv4Number(address) - base;
      return low >= 0 && low < size ? { region: 0n, low } : undefined;
    },
    address: ({ low }) => ipv4Text(base + low),
  };
}

/** Where the low 48 bits of an IPv6 address begin, in bytes. */
const lowStart = 10;

function ipv6Layout(prefix: Prefix, hostBits: number): AddressLayout {
  const base = addressToBytes(firstAddress(prefix));
  const single = 2 ** hostBits <= maxBitmapSize;
  const offset = single ? readNumber(base, lowStart, 16) : 0;
  const positionOf = (bytes: Uint8Array): Position => ({
    region: single ? 0n : readRegion(bytes),
    low: readNumber(bytes, lowStart, 16) - offset,
  });
  return {
    regionSize: single ? 2 ** hostBits : maxBitmapSize,
    first: positionOf(base),
    last: positionOf(addressToBytes(lastAddress(prefix))),
    position(address) {
      if (isIpv4(address)) return undefined;
      const bytes = addressToBytes(address);
      return shareBits(bytes, base, 128 - hostBits) ? positionOf(bytes) : undefined;
    },
    address({ region, low }) {
      const bytes = base.slice();
      writeNumber(bytes, lowStart, 16, offset + low);
      if (!single) {
        writeNumber(bytes, 4, lowStart, Number(region & 0xffff_ffff_ffffn));
        writeNumber(bytes, 0, 4, Number(region >> 48n));
      }
      return addressFromBytes(bytes);
    },
  };
}

/** The high 80 bits of an IPv6 address. */
function readRegion(bytes: Uint8Array): bigint {
  return (BigInt(readNumber(bytes, 0, 4)) << 48n) | BigInt(readNumber(bytes, 4, lowStart));
}

/** At most six bytes, in network order, as a number. */
function readNumber(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}

function writeNumber(bytes: Uint8Array, start: number, end: number, value: number): void {
  let rest = value;
  for (let i = end - 1; i >= start; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

/** True when the first `count` bits of two addresses are the same. */
function shareBits(a: Uint8Array, b: Uint8Array, count: number): boolean {
  const whole = count >>> 3;
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false;
  const rest = count & 7;
  return rest === 0 || ((a[whole] ?? 0) ^ (b[whole] ?? 0)) >>> (8 - rest) === 0;
}

/** The value of a canonical IPv4 address, 0 to 2^32 - 1. */
function ipv4Number(address: IpAddress): number {
  let value = 0;
  let part = 0;
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i);
    if (code !== 46) {
      part = part * 10 + code - 48;
      continue;
    }
    value = value * 256 + part;
    part = 0;
  }
  return value * 256 + part;
}

function ipv4Text(value: number): Ipv4 {
  const text = `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
  return text as Ipv4; // four decimal bytes are the canonical text
}
