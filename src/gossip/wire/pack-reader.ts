import { knownBytes, knownText, longestKnown } from "./known-values.ts";
import { MalformedMessage, truncated } from "./malformed.ts";

/** The keys of one kind of map, with the bytes that they are on the wire. */
export type Fields<Name extends string> = readonly { readonly name: Name; readonly bytes: Uint8Array }[];

/** Prepares the keys of a map for {@link PackReader.field}, in the order in which Go sorts them. */
export function fields<Name extends string>(...names: readonly Name[]): Fields<Name> {
  return [...names].sort().map((name) => ({ name, bytes: Buffer.from(name) }));
}

/** How deep values that are skipped may lie in each other. */
const maxDepth = 16;
const none: Uint8Array = new Uint8Array(0);

/**
 * Reads msgpack of any dialect, with bounds: text and bytes as raw, str or bin, whole numbers of either sign's
 * encoding. It stands at the byte after what was read and never looks ahead, for other things follow the last
 * value. Every method throws {@link MalformedMessage} for what it cannot read.
 */
export class PackReader {
  readonly bytes: Buffer;
  /** Where the next value begins. */
  at: number;
  /** Where the message ends. */
  end: number;

  /** Reads `bytes` from `at` to `end`, both may be moved later: one reader serves all parts of a packet. */
  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    // Over the same memory: Buffer has the readers of numbers and text.
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
    this.end = end;
  }

  /** What was not read yet. */
  get rest(): Buffer {
    return this.bytes.subarray(this.at, this.end);
  }

  /** The number of pairs of a map; none for nil, as Go writes a map that was never made. */
  map(): number {
    const tag = this.#tag();
    if ((tag & 0xf0) === 0x80) return tag & 0x0f;
    if (tag === 0xde) return this.#unsigned(2);
    if (tag === 0xdf) return this.#unsigned(4);
    if (tag === 0xc0) return 0;
    throw unexpected(tag, "a map");
  }

  /** The number of values of an array; none for nil. */
  array(): number {
    const tag = this.#tag();
    if ((tag & 0xf0) === 0x90) return tag & 0x0f;
    if (tag === 0xdc) return this.#unsigned(2);
    if (tag === 0xdd) return this.#unsigned(4);
    if (tag === 0xc0) return 0;
    throw unexpected(tag, "an array");
  }

  /**
   * A key of a map: its name when it is one of `known`, else undefined, and then its value waits to be skipped.
   * `turn` is the how-manieth key it is: keys come sorted, so the first guess is nearly always right.
   */
  field<Name extends string>(known: Fields<Name>, turn: number): Name | undefined {
    const length = this.#rawLength(this.#tag());
    const start = this.#take(length);
    const guess = known[turn];
    if (guess !== undefined && this.#same(guess.bytes, start, length)) return guess.name;
    return known.find(({ bytes }) => this.#same(bytes, start, length))?.name;
  }

  /** Text of at most `max` bytes. */
  text(max: number): string {
    const length = this.#rawLength(this.#tag());
    if (length > max)
      throw new MalformedMessage(`gossip message has text of ${length} bytes: at most ${max} are taken`);
    return knownText(this.bytes, this.#take(length), length);
  }

  /**
   * At most `max` bytes; empty for nil; also from an array of small numbers. They are not to be written, for up to
   * {@link longestKnown} of them may be shared by others that are equal; more are a view of the message.
   */
  raw(max: number): Uint8Array {
    const tag = this.#tag();
    if (tag === 0xc0) return none;
    if ((tag & 0xf0) === 0x90 || tag === 0xdc) {
      this.at--;
      return this.#bytesFromArray(max);
    }
    const length = this.#rawLength(tag);
    if (length > max)
      throw new MalformedMessage(`gossip message has ${length} bytes in one value: at most ${max} are taken`);
    const start = this.#take(length);
    if (length <= longestKnown) return knownBytes(this.bytes, start, length);
    return this.bytes.subarray(start, start + length);
  }

  bool(): boolean {
    const tag = this.#tag();
    if (tag === 0xc2 || tag === 0xc0) return false;
    if (tag === 0xc3) return true;
    throw unexpected(tag, "true or false");
  }

  /** A whole number from 0 to `max`, however it was encoded. */
  uint(max: number): number {
    const value = this.#number(this.#tag());
    if (value >= 0 && value <= max) return value;
    throw new MalformedMessage(`gossip message has the number ${value}: it should be from 0 to ${max}`);
  }

  /** A whole number of 32 bits. */
  u32(): number {
    return this.uint(0xffffffff);
  }

  /** Passes over one value of any kind. */
  skip(depth = 0): void {
    if (depth > maxDepth) throw new MalformedMessage(`gossip message has values more than ${maxDepth} deep`);
    const tag = this.#tag();
    if (tag <= 0x7f || tag >= 0xe0 || tag === 0xc0 || tag === 0xc2 || tag === 0xc3) return;
    const fixed = fixedSizes[tag];
    if (fixed !== undefined) {
      this.#take(fixed);
      return;
    }
    const values = this.#valuesIn(tag);
    if (values === undefined) this.#take(this.#rawLength(tag));
    else for (let i = 0; i < values; i++) this.skip(depth + 1);
  }

  /** How many values follow the head of a map or an array; undefined when `tag` begins neither. */
  #valuesIn(tag: number): number | undefined {
    if ((tag & 0xf0) === 0x80) return 2 * (tag & 0x0f);
    if ((tag & 0xf0) === 0x90) return tag & 0x0f;
    if (tag === 0xde) return 2 * this.#unsigned(2);
    if (tag === 0xdf) return 2 * this.#unsigned(4);
    if (tag === 0xdc) return this.#unsigned(2);
    if (tag === 0xdd) return this.#unsigned(4);
    return undefined;
  }

  #number(tag: number): number {
    if (tag <= 0x7f) return tag;
    if (tag >= 0xe0) return tag - 0x100;
    if (tag >= 0xcc && tag <= 0xce) return this.#unsigned(1 << (tag - 0xcc));
    if (tag >= 0xd0 && tag <= 0xd2) {
      const size = 1 << (tag - 0xd0);
      const start = this.#take(size);
      return this.bytes.readIntBE(start, size);
    }
    if (tag === 0xcf) return Number(this.bytes.readBigUInt64BE(this.#take(8)));
    if (tag === 0xd3) return Number(this.bytes.readBigInt64BE(this.#take(8)));
    throw unexpected(tag, "a whole number");
  }

  #bytesFromArray(max: number): Uint8Array {
    const length = this.array();
    if (length > max)
      throw new MalformedMessage(`gossip message has ${length} bytes in one value: at most ${max} are taken`);
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.uint(0xff);
    return bytes;
  }

  #rawLength(tag: number): number {
    if ((tag & 0xe0) === 0xa0) return tag & 0x1f;
    if (tag === 0xd9 || tag === 0xc4) return this.#unsigned(1);
    if (tag === 0xda || tag === 0xc5) return this.#unsigned(2);
    if (tag === 0xdb || tag === 0xc6) return this.#unsigned(4);
    if (tag === 0xc0) return 0;
    if (tag >= 0xc7 && tag <= 0xc9) return this.#unsigned(1 << (tag - 0xc7)) + 1; // ext: its type is one byte more
    throw unexpected(tag, "text or bytes");
  }

  #unsigned(size: number): number {
    const start = this.#take(size);
    return size === 1 ? (this.bytes[start] ?? 0) : this.bytes.readUIntBE(start, size);
  }

  #same(name: Uint8Array, start: number, length: number): boolean {
    if (name.length !== length) return false;
    for (let i = 0; i < length; i++) if (this.bytes[start + i] !== name[i]) return false;
    return true;
  }

  #tag(): number {
    if (this.at >= this.end) throw truncated(1);
    return this.bytes[this.at++] ?? 0;
  }

  /** Where the next `length` bytes begin; moves behind them. */
  #take(length: number): number {
    const start = this.at;
    if (start + length > this.end) throw truncated(start + length - this.end);
    this.at = start + length;
    return start;
  }
}

/** Bytes behind the tags of numbers, floats and extensions of a fixed size (with their type). */
const fixedSizes: Readonly<Record<number, number>> = {
  202: 4, // float 32
  203: 8,
  204: 1, // uint 8
  205: 2,
  206: 4,
  207: 8,
  208: 1, // int 8
  209: 2,
  210: 4,
  211: 8,
  212: 2, // fixext 1
  213: 3,
  214: 5,
  215: 9,
  216: 17,
};

function unexpected(tag: number, wanted: string): MalformedMessage {
  return new MalformedMessage(`gossip message has 0x${tag.toString(16)} where ${wanted} should be`);
}
