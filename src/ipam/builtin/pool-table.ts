import {
  type Family,
  familyOf,
  firstAddress,
  lastAddress,
  type Prefix,
  WeftError,
} from "../../core/index.ts";
import type { Position } from "./address-layout.ts";
import { type AddressRange, AddressSet } from "./address-set.ts";
import type { AddressPool } from "./address-spaces.ts";
import { bitsOfPrefix, type PrefixBits, PrefixTrie, prefixFromBits } from "./prefix-trie.ts";

/** A pool that is held, with the addresses that are taken from it under any of its ids. */
export interface Pool {
  readonly prefix: Prefix;
  readonly addresses: AddressSet;
  readonly reserved: readonly Position[];
}

/** What one pool id stands for: a pool and the part of it that addresses are taken from. */
export interface Slice {
  readonly pool: Pool;
  readonly range: AddressRange;
  /** The address that was chosen last, which serial allocation goes on from. */
  cursor: Position | undefined;
}

interface Predefined {
  readonly base: PrefixBits;
  readonly size: number;
}

interface Entry {
  readonly pool: Pool;
  readonly bits: PrefixBits;
  /** The slice of the pool as a whole, while it is held itself and not only by its sub-pools. */
  whole: Slice | undefined;
  readonly children: Map<Prefix, Slice>;
}

/**
 * The pools of one family in one address space. A pool lives while it, or a sub-pool of it, is held.
 * The rules of overlap are Docker's: a pool asked for without a sub-pool must overlap no other; one with
 * a sub-pool is compared with no other, and several sub-pools share one pool and its addresses.
 */
export class PoolTable {
  readonly #family: Family;
  readonly #predefined: readonly Predefined[];
  readonly #taken = new PrefixTrie();
  readonly #entries = new Map<Prefix, Entry>();

  /** `predefined` are of `family` and sorted, as {@link parseAddressPools} gives it. */
  constructor(family: Family, predefined: readonly AddressPool[]) {
    this.#family = family;
    this.#predefined = predefined.map(({ base, size }) => ({ base: bitsOfPrefix(base), size }));
  }

  /** Holds `prefix`, or `subPool` in it. Throws POOL_OVERLAP. */
  hold(prefix: Prefix, subPool: Prefix | undefined): Slice {
    const bits = bitsOfPrefix(prefix);
    const refused = subPool === undefined ? this.#taken.overlaps(bits) : this.find(prefix, subPool);
    if (refused) {
      throw new WeftError(
        "POOL_OVERLAP",
        "invalid pool request: Pool overlaps with other one on this address space",
        { details: { pool: prefix, subPool } },
      );
    }
    return this.#add(prefix, bits, subPool);
  }

  /**
   * Holds the lowest predefined subnet that overlaps no pool and none of `exclude`; of `size` bits if that
   * is given. Throws POOLS_EXHAUSTED, or INVALID_POOL when no predefined pool can hold that size.
   */
  holdAny(size: number | undefined, exclude: readonly Prefix[]): Slice {
    const pools = this.#predefined.filter(({ base }) => size === undefined || base.length <= size);
    if (size !== undefined && pools.length === 0) throw new WeftError("INVALID_POOL", "invalid address pool");
    const avoid = exclude.filter((prefix) => familyOf(prefix) === this.#family).map(bitsOfPrefix);
    for (const pool of pools) {
      const bits = this.#taken.lowestFree(pool.base, size ?? pool.size, avoid);
      if (bits !== undefined) return this.#add(prefixFromBits(bits), bits, undefined);
    }
    throw new WeftError("POOLS_EXHAUSTED", "all predefined address pools have been fully subnetted", {
      details: { pools: pools.map(({ base }) => prefixFromBits(base)), excluded: exclude },
    });
  }

  /**
   * Holds again what was held when the process ended, without a check: the rules of overlap allow pools
   * that could not be held in another order. Throws POOL_OVERLAP when it is held already.
   */
  restore(prefix: Prefix, subPool: Prefix | undefined): Slice {
    if (this.find(prefix, subPool) !== undefined) return this.hold(prefix, subPool);
    return this.#add(prefix, bitsOfPrefix(prefix), subPool);
  }

  /** The slice that is held under these names, or undefined. */
  find(prefix: Prefix, subPool: Prefix | undefined): Slice | undefined {
    const entry = this.#entries.get(prefix);
    return subPool === undefined ? entry?.whole : entry?.children.get(subPool);
  }

  /** Lets go of a slice; false when it is not held. The pool goes with its last slice. */
  release(prefix: Prefix, subPool: Prefix | undefined): boolean {
    const entry = this.#entries.get(prefix);
    if (entry === undefined || this.find(prefix, subPool) === undefined) return false;
    if (subPool === undefined) entry.whole = undefined;
    else entry.children.delete(subPool);
    if (entry.whole === undefined && entry.children.size === 0) {
      this.#entries.delete(prefix);
      this.#taken.delete(entry.bits);
    }
    return true;
  }

  #add(prefix: Prefix, bits: PrefixBits, subPool: Prefix | undefined): Slice {
    const entry = this.#entries.get(prefix) ?? this.#newEntry(prefix, bits);
    const slice = { pool: entry.pool, range: rangeOf(entry.pool, subPool), cursor: undefined };
    if (subPool === undefined) entry.whole = slice;
    else entry.children.set(subPool, slice);
    return slice;
  }

  #newEntry(prefix: Prefix, bits: PrefixBits): Entry {
    const entry: Entry = { pool: newPool(prefix), bits, whole: undefined, children: new Map() };
    this.#entries.set(prefix, entry);
    this.#taken.add(bits);
    return entry;
  }
}

function newPool(prefix: Prefix): Pool {
  const addresses = new AddressSet(prefix);
  const reserved = reservedPositions(prefix, addresses.range);
  for (const position of reserved) addresses.add(position);
  return { prefix, addresses, reserved };
}

/**
 * The addresses that no interface may have: the first of each subnet (IPv4's network address, IPv6's
 * subnet-router anycast address of RFC 4291 §2.6.1) and IPv4's last (broadcast). Subnets of one or two
 * addresses have none of them (RFC 3021 for IPv4, RFC 6164 for IPv6).
 */
function reservedPositions(prefix: Prefix, { first, last }: AddressRange): readonly Position[] {
  if (first.region === last.region && last.low - first.low < 2) return [];
  return familyOf(prefix) === 4 ? [first, last] : [first];
}

function rangeOf(pool: Pool, subPool: Prefix | undefined): AddressRange {
  if (subPool === undefined) return pool.addresses.range;
  const first = pool.addresses.position(firstAddress(subPool));
  const last = pool.addresses.position(lastAddress(subPool));
  if (first === undefined || last === undefined) {
    throw new WeftError("INVALID_POOL", "invalid address subpool", {
      details: { pool: pool.prefix, subPool },
    });
  }
  return { first, last };
}
