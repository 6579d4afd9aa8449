import { endianness } from "node:os";
import {
  addressFromBytes,
  addressToBytes,
  type IpAddress,
  type MacAddress,
  macFromBytes,
  macToBytes,
} from "../../core/index.ts";

const little = endianness() === "LE";

/** A growing buffer that netlink messages are written into. Integers are in the host's byte order unless named BE. */
export class Writer {
  #buffer = Buffer.allocUnsafe(1024);
  /** Bytes written so far. */
  length = 0;

  /** Makes room for `size` more bytes and gives the offset where they begin. */
  #reserve(size: number): number {
    const at = this.length;
    const needed = at + size;
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, at);
      this.#buffer = grown;
    }
    this.length = needed;
    return at;
  }

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#buffer.writeUInt8(value, at);
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    if (little) this.#buffer.writeUInt16LE(value, at);
    else this.#buffer.writeUInt16BE(value, at);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.setU32(at, value);
  }

  u64(value: bigint): void {
    const at = this.#reserve(8);
    if (little) this.#buffer.writeBigUInt64LE(value, at);
    else this.#buffer.writeBigUInt64BE(value, at);
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#buffer.set(value, at);
  }

  zeros(count: number): void {
    const at = this.#reserve(count);
    // Hardly ever more than a few, for which a call out of JavaScript costs more.
    for (let i = at; i < at + count; i++) this.#buffer[i] = 0;
  }

  /** Zeros up to the next multiple of 4, as NLMSG_ALIGN and NLA_ALIGN want. */
  align(): void {
    this.zeros((4 - (this.length & 3)) & 3);
  }

  /** Overwrites a u16 written before. */
  setU16(at: number, value: number): void {
    if (little) this.#buffer.writeUInt16LE(value, at);
    else this.#buffer.writeUInt16BE(value, at);
  }

  /** Overwrites a u32 written before. */
  setU32(at: number, value: number): void {
    if (little) this.#buffer.writeUInt32LE(value >>> 0, at);
    else this.#buffer.writeUInt32BE(value >>> 0, at);
  }

  /** What was written, sharing the writer's memory. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }
}

/** A u16 in the host's byte order. */
export function readU16(buffer: Buffer, at: number): number {
  return little ? buffer.readUInt16LE(at) : buffer.readUInt16BE(at);
}

/** A u32 in the host's byte order. */
export function readU32(buffer: Buffer, at: number): number {
  return little ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at);
}

/** How a value stands in a netlink attribute or header, in both directions. */
export interface Codec<T> {
  write(writer: Writer, value: T): void;
  /** Reads the whole of `bytes`. Throws RangeError when they are too few. */
  read(bytes: Buffer): T;
}

/** A codec whose values always take `size` bytes, so that it can be part of a header. */
export interface FixedCodec<T> extends Codec<T> {
  readonly size: number;
}

/** The bytes of one value by itself, in memory of their own. */
export function encode<T>(codec: Codec<T>, value: T): Buffer {
  const writer = new Writer();
  codec.write(writer, value);
  return writer.finish();
}

/** The values of a codec. */
export type Value<C> = C extends Codec<infer T> ? T : never;

export const u8: FixedCodec<number> = { size: 1, write: (w, v) => w.u8(v), read: (b) => b.readUInt8(0) };
export const u16: FixedCodec<number> = { size: 2, write: (w, v) => w.u16(v), read: (b) => readU16(b, 0) };
export const u32: FixedCodec<number> = { size: 4, write: (w, v) => w.u32(v), read: (b) => readU32(b, 0) };
export const i32: FixedCodec<number> = {
  size: 4,
  write: (w, v) => w.u32(v >>> 0),
  read: (b) => (little ? b.readInt32LE(0) : b.readInt32BE(0)),
};
export const u64: FixedCodec<bigint> = {
  size: 8,
  write: (w, v) => w.u64(v),
  read: (b) => (little ? b.readBigUInt64LE(0) : b.readBigUInt64BE(0)),
};
/** 16 bits in network order. */
export const u16be: FixedCodec<number> = {
  size: 2,
  write: (w, v) => {
    w.u8((v >> 8) & 0xff);
    w.u8(v & 0xff);
  },
  read: (b) => b.readUInt16BE(0),
};
/** 32 bits in network order. */
export const u32be: FixedCodec<number> = {
  size: 4,
  write: (w, v) => {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(v >>> 0);
    w.bytes(bytes);
  },
  read: (b) => b.readUInt32BE(0),
};
/** 64 bits in network order. */
export const u64be: FixedCodec<bigint> = {
  size: 8,
  write: (w, v) => {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigUInt64BE(v);
    w.bytes(bytes);
  },
  read: (b) => b.readBigUInt64BE(0),
};
/** Padding of a header; written as zeros, read as nothing. */
export function padding(size: number): FixedCodec<undefined> {
  return { size, write: (w) => w.zeros(size), read: () => undefined };
}
/** Text with the NUL at its end that the kernel wants. */
export const text: Codec<string> = {
  write: (w, v) => {
    w.bytes(Buffer.from(v));
    w.u8(0);
  },
  read: (b) => {
    const end = b.indexOf(0);
    return b.toString("utf8", 0, end < 0 ? b.length : end);
  },
};
/** Bytes as they are; what is read is a copy. */
export const bytes: Codec<Uint8Array> = { write: (w, v) => w.bytes(v), read: (b) => Buffer.from(b) };
/** An attribute whose presence is its value. */
export const flag: Codec<true> = { write: () => {}, read: () => true };
/** 4 or 16 bytes of an address. */
export const ipAddress: Codec<IpAddress> = {
  write: (w, v) => w.bytes(addressToBytes(v)),
  read: (b) => addressFromBytes(b),
};
/** Six bytes of an Ethernet address. */
export const macAddress: Codec<MacAddress> = {
  write: (w, v) => w.bytes(macToBytes(v)),
  read: (b) => macFromBytes(b),
};

/** A C struct without holes: its members in their order; holes are named members of {@link padding}. */
export type StructShape = Readonly<Record<string, FixedCodec<unknown>>>;
/** The members of a struct that carry something. */
export type StructValue<S extends StructShape> = {
  readonly [K in keyof S as Value<S[K]> extends undefined ? never : K]: Value<S[K]>;
};

/** A codec for a C struct, from its declaration. Members are written in the order of `shape`. */
export function struct<S extends StructShape>(shape: S): FixedCodec<StructValue<S>> {
  const members = Object.entries(shape);
  const size = members.reduce((sum, [, codec]) => sum + codec.size, 0);
  return {
    size,
    write(writer, value) {
      // The mapped type above guarantees these names and types; index access by string loses them.
      const values = value as Readonly<Record<string, unknown>>;
      for (const [name, codec] of members) codec.write(writer, values[name]);
    },
    read(buffer) {
      const result: Record<string, unknown> = {};
      let at = 0;
      for (const [name, codec] of members) {
        const member = codec.read(buffer.subarray(at, at + codec.size));
        if (member !== undefined) result[name] = member;
        at += codec.size;
      }
      return result as StructValue<S>; // every member of the shape was just read
    },
  };
}
