/**
 * Writes the msgpack dialect that memberlist's peers speak: the old specification, in which text and bytes are
 * both "raw" (gossip.md B.3). str8 and the bin family are never written: older peers cannot read them.
 */
export class PackWriter {
  #bytes: Buffer;
  #at = 0;

  /** `room` is how many bytes are expected; more are taken as needed. */
  constructor(room = 256) {
    this.#bytes = Buffer.allocUnsafe(room);
  }

  /** What was written so far; valid until the next write. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** One byte that is no msgpack: a message's type. */
  byte(value: number): this {
    this.#need(1);
    this.#bytes[this.#at++] = value;
    return this;
  }

  /** Bytes that are no msgpack: what follows a header. */
  append(bytes: Uint8Array): this {
    this.#need(bytes.length);
    const { length } = bytes;
    // A loop is faster than a call for what is as short as an address.
    if (length > 16) this.#bytes.set(bytes, this.#at);
    else for (let i = 0; i < length; i++) this.#bytes[this.#at + i] = bytes[i] ?? 0;
    this.#at += length;
    return this;
  }

  /** The head of a map; `size` pairs follow, keys in the order of their names. */
  map(size: number): this {
    return this.#head(size, 0x80, 15, 0xde, 0xdf);
  }

  /** The head of an array; `size` values follow. */
  array(size: number): this {
    return this.#head(size, 0x90, 15, 0xdc, 0xdd);
  }

  /** A key, or any text. */
  text(value: string): this {
    const { length } = value;
    if (length > 31) return this.#longText(value);
    this.#need(1 + length);
    const bytes = this.#bytes;
    const start = this.#at;
    bytes[start] = 0xa0 | length;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return this.#longText(value);
      bytes[start + 1 + i] = code;
    }
    this.#at = start + 1 + length;
    return this;
  }

  #longText(value: string): this {
    const length = Buffer.byteLength(value);
    this.#head(length, 0xa0, 31, 0xda, 0xdb);
    this.#need(length);
    this.#at += this.#bytes.write(value, this.#at, length, "utf8");
    return this;
  }

  /** Bytes; as Go writes nothing at all, nil when there are none. */
  bytes(value: Uint8Array): this {
    return value.length === 0 ? this.nil() : this.raw(value);
  }

  /** Bytes, an empty string of them when there are none. */
  raw(value: Uint8Array): this {
    return this.#head(value.length, 0xa0, 31, 0xda, 0xdb).append(value);
  }

  nil(): this {
    return this.byte(0xc0);
  }

  bool(value: boolean): this {
    return this.byte(value ? 0xc3 : 0xc2);
  }

  /** A whole number from 0 to 2^53 - 1, as Go writes its unsigned types. */
  uint(value: number): this {
    this.#need(9);
    if (value <= 0x7f) this.#bytes[this.#at++] = value;
    else if (value <= 0xff) this.byte(0xcc).byte(value);
    else if (value <= 0xffff)
      this.byte(0xcd)
        .byte(value >> 8)
        .byte(value & 0xff);
    else if (value <= 0xffffffff) this.#at = this.#bytes.writeUInt32BE(value, this.#tag(0xce));
    else this.#at = this.#bytes.writeBigUInt64BE(BigInt(value), this.#tag(0xcf));
    return this;
  }

  /** A whole number from 0 to 2^31 - 1, as Go writes its `int`: signed, although it is none. */
  int(value: number): this {
    this.#need(5);
    if (value <= 0x7f) this.#bytes[this.#at++] = value;
    else if (value <= 0x7fff) this.#at = this.#bytes.writeInt16BE(value, this.#tag(0xd1));
    else this.#at = this.#bytes.writeInt32BE(value, this.#tag(0xd2));
    return this;
  }

  #tag(value: number): number {
    this.#bytes[this.#at] = value;
    return this.#at + 1;
  }

  #head(size: number, short: number, shortMax: number, tag16: number, tag32: number): this {
    this.#need(5);
    if (size <= shortMax) this.#bytes[this.#at++] = short | size;
    else if (size <= 0xffff) this.#at = this.#bytes.writeUInt16BE(size, this.#tag(tag16));
    else this.#at = this.#bytes.writeUInt32BE(size, this.#tag(tag32));
    return this;
  }

  #need(bytes: number): void {
    const wanted = this.#at + bytes;
    if (wanted <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
