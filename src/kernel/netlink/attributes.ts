import { type Codec, readU16, type Value, type Writer } from "./wire.ts";

const headerSize = 4;
/** Marks an attribute that holds attributes; include/uapi/linux/netlink.h. */
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

/** One attribute of a set: its number in the kernel's header, and how its value is written. */
export interface Attribute<T> {
  readonly number: number;
  readonly codec: Codec<T>;
  /** Written with NLA_F_NESTED. */
  readonly nested: boolean;
}

/** A set of attributes: a name for each, chosen by us, in the order in which they are written. */
export type AttributeShape = Readonly<Record<string, Attribute<unknown>>>;

/** The values of a set; every attribute may be absent. */
export type AttributeValues<S extends AttributeShape> = {
  readonly [K in keyof S]?: (S[K] extends Attribute<infer T> ? T : never) | undefined;
};

/** Declares an attribute: number and codec. */
export function attribute<T>(number: number, codec: Codec<T>): Attribute<T> {
  return { number, codec, nested: false };
}

/** Declares an attribute that holds attributes, written with NLA_F_NESTED. */
export function nested<T>(number: number, codec: Codec<T>): Attribute<T> {
  return { number, codec, nested: true };
}

/**
 * A codec for a run of attributes, from their declaration. Reading ignores numbers that are not
 * declared, since newer kernels add some; of an attribute that comes twice the last one counts.
 */
export function attributes<const S extends AttributeShape>(shape: S): Codec<AttributeValues<S>> {
  const declared = Object.entries(shape);
  const byNumber = new Map(declared.map(([name, one]) => [one.number, { name, codec: one.codec }]));
  return {
    write(writer, values) {
      // Names and value types are checked by AttributeValues; index access by string loses them.
      const given = values as Readonly<Record<string, unknown>>;
      for (const [name, one] of declared) {
        const value = given[name];
        if (value !== undefined)
          writeAttribute(writer, one.number, one.nested, (w) => one.codec.write(w, value));
      }
    },
    read(buffer) {
      const result: Record<string, unknown> = {};
      walkAttributes(buffer, (number, start, end) => {
        const known = byNumber.get(number);
        if (known === undefined) return;
        const value = known.codec.read(buffer.subarray(start, end));
        if (value !== undefined) result[known.name] = value;
      });
      return result as AttributeValues<S>; // only declared names were set, with their codecs' values
    },
  };
}

/** A codec for the same attribute over and over, as NLA lists are: `[LIST_ELEM: ..., LIST_ELEM: ...]`. */
export function attributeList<T>(
  number: number,
  codec: Codec<T>,
  options: { readonly nested: boolean },
): Codec<readonly T[]> {
  return {
    write(writer, values) {
      for (const value of values)
        writeAttribute(writer, number, options.nested, (w) => codec.write(w, value));
    },
    read(buffer) {
      const values: T[] = [];
      for (const one of readAttributes(buffer))
        if (one.number === number) values.push(codec.read(one.payload));
      return values;
    },
  };
}

/** Writes one attribute: header, what `body` writes, padding. */
export function writeAttribute(
  writer: Writer,
  number: number,
  isNested: boolean,
  body: (writer: Writer) => void,
): void {
  const start = beginAttribute(writer, number, isNested);
  body(writer);
  endAttribute(writer, start);
}

/** Writes an attribute's header, and gives where it begins, for {@link endAttribute} when its value is written. */
export function beginAttribute(writer: Writer, number: number, isNested: boolean): number {
  const start = writer.length;
  writer.u16(0);
  writer.u16(isNested ? number | NLA_F_NESTED : number);
  return start;
}

/** Ends the attribute that begins at `start`: its length, and padding. */
export function endAttribute(writer: Writer, start: number): void {
  writer.setU16(start, writer.length - start);
  writer.align();
}

/** The attributes of `buffer`. Throws RangeError when one is longer than what is left. */
export function readAttributes(
  buffer: Buffer,
): readonly { readonly number: number; readonly payload: Buffer }[] {
  const found: { readonly number: number; readonly payload: Buffer }[] = [];
  walkAttributes(buffer, (number, start, end) => {
    found.push({ number, payload: buffer.subarray(start, end) });
  });
  return found;
}

/** Tells of each attribute where its value is: a dump has many of which most are of no interest. */
function walkAttributes(buffer: Buffer, tell: (number: number, start: number, end: number) => void): void {
  let at = 0;
  while (at + headerSize <= buffer.length) {
    const length = readU16(buffer, at);
    if (length < headerSize || at + length > buffer.length) {
      throw new RangeError(`netlink attribute of ${length} bytes at ${at} in ${buffer.length}`);
    }
    tell(readU16(buffer, at + 2) & NLA_TYPE_MASK, at + headerSize, at + length);
    at += (length + 3) & ~3;
  }
}

/** The values of an {@link attributes} codec. */
export type Attributes<C> = Value<C>;
