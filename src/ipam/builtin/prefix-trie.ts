import { addressFromBytes, addressPart, addressToBytes, lengthOf, type Prefix } from "../../core/index.ts";

/** One prefix, by its place in the tree. A node without prefixes at or below it is not kept. */
interface Node {
  taken: boolean;
  zero: Node | undefined;
  one: Node | undefined;
  /** The length of the largest block at or below this node that no taken prefix touches; Infinity when there is none. */
  free: number;
}

/** A prefix taken apart, as the tree reads it. */
export interface PrefixBits {
  /** The bytes of its first address. */
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** Takes a prefix apart. */
export function bitsOfPrefix(prefix: Prefix): PrefixBits {
  return { bytes: addressToBytes(addressPart(prefix)), length: lengthOf(prefix) };
}

/** Puts a prefix together again. */
export function prefixFromBits({ bytes, length }: PrefixBits): Prefix {
  return `${addressFromBytes(bytes)}/${length}` as Prefix; // the bits after `length` are all zero
}

/**
 * The prefixes of one family that are taken, as a binary tree. Prefixes may lie within others. Both
 * questions are answered in as many steps as a prefix has bits, however many prefixes there are.
 */
export class PrefixTrie {
  #root: Node | undefined;

  /** Takes `prefix`; it must not be taken itself. */
  add(prefix: PrefixBits): void {
    this.#root = add(this.#root, prefix, 0);
  }

  /** Gives `prefix` back; nothing happens when it is not taken itself. */
  delete(prefix: PrefixBits): void {
    this.#root = remove(this.#root, prefix, 0);
  }

  /** True when a taken prefix holds, is, or lies in `prefix`. */
  overlaps({ bytes, length }: PrefixBits): boolean {
    let node = this.#root;
    for (let depth = 0; node !== undefined && depth < length; depth++) {
      if (node.taken) return true;
      node = bitAt(bytes, depth) ? node.one : node.zero;
    }
    return node !== undefined;
  }

  /** The lowest prefix of `length` bits in `base` that overlaps neither a taken prefix nor one of `exclude`. */
  lowestFree(base: PrefixBits, length: number, exclude: readonly PrefixBits[]): PrefixBits | undefined {
    if (length < base.length) return undefined;
    let node = this.#root;
    let near = exclude;
    for (let depth = 0; depth < base.length; depth++) {
      if (node?.taken || near.some((other) => other.length <= depth)) return undefined;
      const bit = bitAt(base.bytes, depth);
      near = onSide(near, depth, bit);
      node = bit ? node?.one : node?.zero;
    }
    const bytes = base.bytes.slice();
    return search(node, base.length, length, bytes, near) ? { bytes, length } : undefined;
  }
}

function bitAt(bytes: Uint8Array, depth: number): boolean {
  return (((bytes[depth >>> 3] ?? 0) >>> (7 - (depth & 7))) & 1) === 1;
}

/** Those of `prefixes`, all longer than `depth`, that go on with `bit`. */
function onSide(prefixes: readonly PrefixBits[], depth: number, bit: boolean): readonly PrefixBits[] {
  return prefixes.length === 0 ? prefixes : prefixes.filter(({ bytes }) => bitAt(bytes, depth) === bit);
}

function add(node: Node | undefined, prefix: PrefixBits, depth: number): Node {
  const here = node ?? { taken: false, zero: undefined, one: undefined, free: depth };
  if (depth === prefix.length) here.taken = true;
  else if (bitAt(prefix.bytes, depth)) here.one = add(here.one, prefix, depth + 1);
  else here.zero = add(here.zero, prefix, depth + 1);
  return measured(here, depth);
}

function remove(node: Node | undefined, prefix: PrefixBits, depth: number): Node | undefined {
  if (node === undefined) return undefined;
  if (depth === prefix.length) node.taken = false;
  else if (bitAt(prefix.bytes, depth)) node.one = remove(node.one, prefix, depth + 1);
  else node.zero = remove(node.zero, prefix, depth + 1);
  if (!node.taken && node.zero === undefined && node.one === undefined) return undefined;
  return measured(node, depth);
}

function measured(node: Node, depth: number): Node {
  const child = (side: Node | undefined) => (side === undefined ? depth + 1 : side.free);
  node.free = node.taken ? Number.POSITIVE_INFINITY : Math.min(child(node.zero), child(node.one));
  return node;
}

/**
 * Sets the bits of `path` from `depth` on to the lowest free prefix of `length` bits there; false, with
 * those bits left zero, when there is none. `near` are the excluded prefixes that overlap the path so far.
 */
function search(
  node: Node | undefined,
  depth: number,
  length: number,
  path: Uint8Array,
  near: readonly PrefixBits[],
): boolean {
  if (node !== undefined && node.free > length) return false;
  if (near.some((other) => other.length <= depth)) return false;
  if (node === undefined && near.length === 0) return true;
  if (depth === length) return false;
  if (search(node?.zero, depth + 1, length, path, onSide(near, depth, false))) return true;
  const byte = depth >>> 3;
  const bit = 1 << (7 - (depth & 7));
  path[byte] = (path[byte] ?? 0) | bit;
  if (search(node?.one, depth + 1, length, path, onSide(near, depth, true))) return true;
  path[byte] = (path[byte] ?? 0) & ~bit;
  return false;
}
