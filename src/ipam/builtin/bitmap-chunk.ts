/** How many bits a whole chunk has. A bitmap smaller than this is one chunk of its own size. */
export const chunkBits = 8192;

/**
 * Up to {@link chunkBits} bits, never empty. While exactly one bit is set it is the number of that bit, n;
 * while exactly one is clear, ~n (which is negative); otherwise an array of 32-bit words. So addresses far
 * apart, as in an IPv6 /64, cost no array each, nor does a released address in a full chunk.
 */
export type Chunk = number | Uint32Array;

/** True when bit `index` is set. */
export function chunkHas(chunk: Chunk, index: number): boolean {
  if (typeof chunk === "number") return chunk >= 0 ? chunk === index : ~chunk !== index;
  return (((chunk[index >>> 5] ?? 0) >>> (index & 31)) & 1) === 1;
}

/**
 * The chunk of `size` bits with bit `index`, which is clear now, set: "full" when that was the last one.
 * An array is changed in place.
 */
export function chunkWith(chunk: Chunk | undefined, index: number, size: number): Chunk | "full" {
  if (chunk === undefined) return size === 1 ? "full" : index;
  if (typeof chunk === "number") {
    if (chunk < 0 || size === 2) return "full";
    const words = new Uint32Array((size + 31) >>> 5);
    setBit(words, chunk);
    setBit(words, index);
    return words;
  }
  setBit(chunk, index);
  return isFull(chunk, index, size) ? "full" : chunk;
}

/**
 * The chunk of `size` bits with bit `index`, which is set now, cleared: undefined when it was the last.
 * An array is changed in place.
 */
export function chunkWithout(chunk: Chunk | "full", index: number, size: number): Chunk | undefined {
  if (chunk === "full") return size === 1 ? undefined : ~index;
  if (typeof chunk === "number") {
    if (chunk >= 0 || size === 2) return undefined;
    const words = fullWords(size);
    clearBit(words, ~chunk);
    clearBit(words, index);
    return words;
  }
  clearBit(chunk, index);
  return chunk[index >>> 5] !== 0 || chunk.some((word) => word !== 0) ? chunk : undefined;
}

/** All of `size` bits set, to be kept where "full" cannot be. */
export function fullWords(size: number): Uint32Array {
  return new Uint32Array((size + 31) >>> 5).fill(wordOf(size));
}

/** The lowest clear bit that is at least `from`, or -1. */
export function firstClear(chunk: Chunk, from: number, size: number): number {
  if (typeof chunk === "number") {
    if (chunk < 0) return ~chunk >= from ? ~chunk : -1;
    const index = chunk === from ? from + 1 : from;
    return index < size ? index : -1;
  }
  let word = from >>> 5;
  let clear = ~(chunk[word] ?? 0) & (-1 << (from & 31));
  while (clear === 0) {
    word++;
    if (word >= chunk.length) return -1;
    clear = ~(chunk[word] ?? 0);
  }
  const index = word * 32 + lowestBit(clear);
  return index < size ? index : -1;
}

/** How many of `size` bits are set. */
export function countBits(chunk: Chunk, size: number): number {
  if (typeof chunk === "number") return chunk >= 0 ? 1 : size - 1;
  let count = 0;
  for (let word of chunk) {
    for (; word !== 0; word &= word - 1) count++;
  }
  return count;
}

/** The indices of the bits that are set, of `size`, ascending. */
export function* bitsIn(chunk: Chunk, size: number): Iterable<number> {
  if (typeof chunk !== "number") {
    for (const [i, bits] of chunk.entries()) {
      for (let word = bits; word !== 0; word &= word - 1) yield i * 32 + lowestBit(word);
    }
  } else if (chunk >= 0) {
    yield chunk;
  } else {
    for (let i = 0; i < size; i++) if (i !== ~chunk) yield i;
  }
}

function isFull(words: Uint32Array, index: number, size: number): boolean {
  const all = wordOf(size);
  if (words[index >>> 5] !== all) return false;
  // Addresses are mostly taken from below, so a clear bit is found soonest from above.
  for (let i = words.length - 1; i >= 0; i--) if (words[i] !== all) return false;
  return true;
}

/** A word of a full chunk of `size` bits, as an unsigned number. */
function wordOf(size: number): number {
  return size < 32 ? 2 ** size - 1 : 0xffffffff;
}

function setBit(words: Uint32Array, index: number): void {
  words[index >>> 5] = (words[index >>> 5] ?? 0) | (1 << (index & 31));
}

function clearBit(words: Uint32Array, index: number): void {
  words[index >>> 5] = (words[index >>> 5] ?? 0) & ~(1 << (index & 31));
}

/** The index of the lowest bit set in a word that is not 0. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
