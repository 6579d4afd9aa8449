import type { IpAddress, Prefix } from "../../core/index.ts";
import { type AddressLayout, layoutOf, type Position } from "./address-layout.ts";
import { SparseBitmap } from "./sparse-bitmap.ts";

/** A run of positions, both ends included. */
export interface AddressRange {
  readonly first: Position;
  readonly last: Position;
}

/** The addresses of one pool that are taken; of either family and any size. */
export class AddressSet {
  readonly #layout: AddressLayout;
  readonly #bitmaps = new Map<bigint, SparseBitmap>();

  constructor(prefix: Prefix) {
    this.#layout = layoutOf(prefix);
  }

  /** The whole pool. */
  get range(): AddressRange {
    return this.#layout;
  }

  /** Addresses in a region of {@link Position}. */
  get regionSize(): number {
    return this.#layout.regionSize;
  }

  /** Bytes of bits stored; see {@link SparseBitmap.byteLength}. */
  get byteLength(): number {
    let bytes = 0;
    for (const bitmap of this.#bitmaps.values()) bytes += bitmap.byteLength;
    return bytes;
  }

  /** Where `address` stands, or undefined when the pool does not hold it. */
  position(address: IpAddress): Position | undefined {
    return this.#layout.position(address);
  }

  /** The address at `position`. */
  address(position: Position): IpAddress {
    return this.#layout.address(position);
  }

  /** True when the address at `position` is taken. */
  has({ region, low }: Position): boolean {
    return this.#bitmaps.get(region)?.has(low) ?? false;
  }

  /** Takes the address at `position`; false when it is taken already. */
  add({ region, low }: Position): boolean {
    return this.#bitmap(region).add(low);
  }

  /** Frees the address at `position`; false when it is free already. */
  delete({ region, low }: Position): boolean {
    const bitmap = this.#bitmaps.get(region);
    if (bitmap === undefined || !bitmap.delete(low)) return false;
    if (bitmap.isEmpty) this.#bitmaps.delete(region);
    return true;
  }

  /** Takes the lowest free address from `first` to `last`, both included; undefined when there is none. */
  takeLowest({ first, last }: AddressRange): Position | undefined {
    let from = first.low;
    // A region has 2^48 addresses, so one that is full, and a second turn of this loop with it, is rare.
    for (let region = first.region; region <= last.region; region++) {
      const low = this.#bitmaps.get(region)?.nextFree(from) ?? from;
      const end = region === last.region ? last.low : this.#layout.regionSize - 1;
      if (low >= 0 && low <= end) {
        this.#bitmap(region).add(low);
        return { region, low };
      }
      from = 0;
    }
    return undefined;
  }

  /** How many addresses of `range` are taken. */
  count({ first, last }: AddressRange): bigint {
    let total = 0n;
    for (const [region, bitmap] of this.#bitmaps) {
      if (region < first.region || region > last.region) continue;
      const low = region === first.region ? first.low : 0;
      const high = region === last.region ? last.low : this.#layout.regionSize - 1;
      total += BigInt(bitmap.count(low, high));
    }
    return total;
  }

  #bitmap(region: bigint): SparseBitmap {
    const known = this.#bitmaps.get(region);
    if (known !== undefined) return known;
    const bitmap = new SparseBitmap(this.#layout.regionSize);
    this.#bitmaps.set(region, bitmap);
    return bitmap;
  }
}
