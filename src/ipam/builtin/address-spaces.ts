import { createHash } from "node:crypto";
import {
  addressFromBytes,
  bitsOf,
  comparePrefixes,
  containsPrefix,
  type Family,
  familyOf,
  interfaceAddress,
  isWeftError,
  lengthOf,
  networkOf,
  type Prefix,
  parsePrefix,
  WeftError,
} from "../../core/index.ts";

/** The space that networks of one host take their pools from. */
export const localAddressSpace = "LocalDefault";
/** The space that networks of a whole cluster take their pools from. */
export const globalAddressSpace = "GlobalDefault";

/** A block that is cut into subnets of `size` bits; one entry of Docker's `default-address-pools`. */
export interface AddressPool {
  readonly base: Prefix;
  /** The prefix length of each subnet. */
  readonly size: number;
}

/** The pools that subnets are chosen from, by family, sorted, none overlapping another. */
export type PredefinedPools = Readonly<Record<Family, readonly AddressPool[]>>;

/** An entry of `default-address-pools` as it is written. */
export interface AddressPoolConfig {
  readonly base: string;
  readonly size: number;
}

/** The 31 IPv4 networks that a host may have by default: 15 of /16 and 16 of /20, as Docker's. */
export const localIpv4Pools: readonly AddressPool[] = [
  pool("172.17.0.0/16", 16),
  pool("172.18.0.0/16", 16),
  pool("172.19.0.0/16", 16),
  pool("172.20.0.0/14", 16),
  pool("172.24.0.0/14", 16),
  pool("172.28.0.0/14", 16),
  pool("192.168.0.0/16", 20),
];

/** The 65,536 IPv4 networks that a cluster may have by default, as Docker's. */
export const globalIpv4Pools: readonly AddressPool[] = [pool("10.0.0.0/8", 24)];

/**
 * The host's own /48 of unique local addresses (RFC 4193), cut into /64: fd, and then the low 40 bits of
 * the first 8 bytes of sha256(`hostId`), so that two hosts hardly ever choose the same.
 */
export function uniqueLocalPool(hostId: string): AddressPool {
  const digest = createHash("sha256").update(hostId).digest();
  const bytes = new Uint8Array(16);
  bytes[0] = 0xfd;
  bytes.set(digest.subarray(3, 8), 1);
  return { base: networkOf(interfaceAddress(addressFromBytes(bytes), 48)), size: 64 };
}

/**
 * Checks the entries of `default-address-pools`, sorts them, and leaves out those that lie in another.
 * Throws INVALID_POOL, naming the entry by its index.
 */
export function parseAddressPools(entries: readonly AddressPoolConfig[]): PredefinedPools {
  const pools = entries.map(parseAddressPool).sort((a, b) => comparePrefixes(a.base, b.base));
  const distinct: AddressPool[] = [];
  for (const candidate of pools) {
    const last = distinct.at(-1);
    // In this order a block stands right before all that lie in it.
    if (last === undefined || !containsPrefix(last.base, candidate.base)) distinct.push(candidate);
  }
  return {
    4: distinct.filter(({ base }) => familyOf(base) === 4),
    6: distinct.filter(({ base }) => familyOf(base) === 6),
  };
}

function parseAddressPool({ base, size }: AddressPoolConfig, index: number): AddressPool {
  const invalid = (why: string, cause?: unknown) =>
    new WeftError("INVALID_POOL", `network at index ${index} (${base}) ${why}`, { cause });
  let prefix: Prefix;
  try {
    prefix = parsePrefix(base);
  } catch (error) {
    if (!isWeftError(error)) throw error;
    throw invalid(`is not in canonical form: ${error.message}`, error);
  }
  const bits = bitsOf(familyOf(prefix));
  if (!Number.isInteger(size) || size < 1 || size > bits) {
    throw invalid(`has the size ${size}: it should be a prefix length of 1 to ${bits}`);
  }
  if (lengthOf(prefix) > size) {
    throw invalid(`has a smaller prefix (/${lengthOf(prefix)}) than the target size of that pool (/${size})`);
  }
  return { base: prefix, size };
}

function pool(base: string, size: number): AddressPool {
  return { base: parsePrefix(base), size };
}
