import {
  bitsIn,
  type Chunk,
  chunkBits,
  chunkHas,
  chunkWith,
  chunkWithout,
  countBits,
  firstClear,
  fullWords,
} from "./bitmap-chunk.ts";

/** The largest bitmap: 2^48 bits, so that every index is an exact number with room to spare. */
export const maxBitmapSize = 2 ** 48;

/** One level: bit i of level n + 1 says that chunk i of level n is full. */
interface Level {
  readonly size: number;
  readonly chunkSize: number;
  readonly chunks: Map<number, Chunk>;
}

/**
 * A set of the numbers 0 to size - 1 that is small when it is nearly empty, nearly full, or taken from
 * below, and finds its lowest free number in O(log size).
 *
 * Level 0 holds the numbers in chunks of 8192 bits. A chunk without bits is not stored; nor is one that
 * is full: it becomes one bit of the level above, which is built in the same way. A chunk that is absent
 * is therefore full if its bit above is set and empty otherwise, and the lowest clear bit of the level
 * above names the first chunk that has room.
 */
export class SparseBitmap {
  readonly #size: number;
  readonly #levels: Level[] = [];
  /** All numbers below this are in the set: taking from below starts here and not at 0. */
  #floor = 0;

  /** An empty set. `size` is a power of two, at most {@link maxBitmapSize}. */
  constructor(size: number) {
    this.#size = size;
  }

  /** True when no number is in the set. */
  get isEmpty(): boolean {
    return this.#levels.every((level) => level.chunks.size === 0);
  }

  /** Bytes of bits stored, 8 for a chunk that is one number; what maps and objects cost is not in it. */
  get byteLength(): number {
    let bytes = 0;
    for (const level of this.#levels) {
      for (const chunk of level.chunks.values()) bytes += typeof chunk === "number" ? 8 : chunk.byteLength;
    }
    return bytes;
  }

  /** True when `index` is in the set. */
  has(index: number): boolean {
    return this.#isSet(0, index);
  }

  /** Puts `index` in; false when it was there. */
  add(index: number): boolean {
    if (!this.#set(0, index)) return false;
    if (index === this.#floor) this.#floor++;
    return true;
  }

  /** Takes `index` out; false when it was not there. */
  delete(index: number): boolean {
    if (!this.#clear(0, index)) return false;
    if (index < this.#floor) this.#floor = index;
    return true;
  }

  /** The lowest number that is at least `from` and not in the set, or -1. */
  nextFree(from: number): number {
    return this.#nextClear(0, Math.max(from, this.#floor));
  }

  /** How many numbers from `first` to `last`, both included, are in the set; takes time in the chunks stored. */
  count(first: number, last: number): number {
    let total = 0;
    let weight = 1;
    for (const level of this.#levels) {
      for (const [at, chunk] of level.chunks) {
        const start = at * chunkBits * weight;
        const end = start + level.chunkSize * weight - 1;
        if (end < first || start > last) continue;
        if (start >= first && end <= last) total += countBits(chunk, level.chunkSize) * weight;
        else total += countWithin(bitsIn(chunk, level.chunkSize), start, weight, first, last);
      }
      weight *= chunkBits;
    }
    return total;
  }

  #isSet(depth: number, index: number): boolean {
    const level = this.#levels[depth];
    if (level === undefined) return false;
    const at = Math.floor(index / chunkBits);
    const chunk = level.chunks.get(at);
    return chunk === undefined ? this.#isSet(depth + 1, at) : chunkHas(chunk, index % chunkBits);
  }

  #set(depth: number, index: number): boolean {
    const level = this.#levelAt(depth);
    const at = Math.floor(index / chunkBits);
    const bit = index % chunkBits;
    const chunk = level.chunks.get(at);
    if (chunk === undefined ? this.#isSet(depth + 1, at) : chunkHas(chunk, bit)) return false;
    const grown = chunkWith(chunk, bit, level.chunkSize);
    if (grown !== "full") {
      if (grown !== chunk) level.chunks.set(at, grown);
    } else if (level.size > chunkBits) {
      level.chunks.delete(at);
      this.#set(depth + 1, at);
    } else {
      // The only chunk of the highest level has nothing above it to say that it is full.
      level.chunks.set(at, fullWords(level.size));
    }
    return true;
  }

  #clear(depth: number, index: number): boolean {
    const level = this.#levels[depth];
    if (level === undefined) return false;
    const at = Math.floor(index / chunkBits);
    const bit = index % chunkBits;
    const chunk = level.chunks.get(at);
    if (chunk === undefined ? !this.#clear(depth + 1, at) : !chunkHas(chunk, bit)) return false;
    const left = chunkWithout(chunk ?? "full", bit, level.chunkSize);
    if (left === undefined) level.chunks.delete(at);
    else if (left !== chunk) level.chunks.set(at, left);
    return true;
  }

  #nextClear(depth: number, from: number): number {
    if (from >= this.#size / chunkBits ** depth) return -1;
    const level = this.#levels[depth];
    if (level === undefined) return from;
    const at = Math.floor(from / chunkBits);
    const chunk = level.chunks.get(at);
    if (chunk !== undefined) {
      const bit = firstClear(chunk, from % chunkBits, level.chunkSize);
      if (bit >= 0) return at * chunkBits + bit;
    } else if (!this.#isSet(depth + 1, at)) {
      return from;
    }
    const next = this.#nextClear(depth + 1, at + 1);
    if (next < 0) return -1;
    const roomy = level.chunks.get(next);
    return next * chunkBits + (roomy === undefined ? 0 : firstClear(roomy, 0, level.chunkSize));
  }

  #levelAt(depth: number): Level {
    const known = this.#levels[depth];
    if (known !== undefined) return known;
    const size = this.#size / chunkBits ** depth;
    const level = { size, chunkSize: Math.min(size, chunkBits), chunks: new Map<number, Chunk>() };
    this.#levels.push(level);
    return level;
  }
}

/** How many of the numbers first to last the bits of a chunk stand for, when each of them stands for `weight` of them. */
function countWithin(
  bits: Iterable<number>,
  start: number,
  weight: number,
  first: number,
  last: number,
): number {
  let count = 0;
  for (const bit of bits) {
    const low = Math.max(start + bit * weight, first);
    const high = Math.min(start + (bit + 1) * weight - 1, last);
    if (low <= high) count += high - low + 1;
  }
  return count;
}
