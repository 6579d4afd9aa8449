import type { Codec } from "../wire.ts";
import {
  bytesWith,
  type Datatype,
  type DatatypeName,
  type DatatypeValues,
  datatypeById,
  datatypes,
  type FieldValue,
} from "./datatypes.ts";

/** A plain integer of `integer` bits, up to 48; in network order unless said otherwise. */
export interface IntegerField {
  readonly integer: number;
  readonly order?: "host";
}

/** Bytes of which nothing is known, as in another program's set; their value is hexadecimal text. */
export interface RawField {
  readonly raw: number;
}

/** What one part of a key, or of a map's data, holds. */
export type FieldType = DatatypeName | IntegerField | RawField;

/** The values of a field, as an author writes them. */
export type FieldValueOf<F extends FieldType> = F extends keyof DatatypeValues
  ? DatatypeValues[F]
  : F extends IntegerField
    ? number
    : F extends RawField
      ? string
      : FieldValue;

/** Nothing in nft is numbered 0; it is what a set gets whose type nft need not know. */
const rawId = 0;
const integerId = 4;
const maximumIntegerBytes = 6;

/** What is known of a field: nft's number for it, its size, order and codec. */
export function fieldDatatype(type: FieldType): Datatype {
  if (typeof type === "string") return datatypes[type];
  if ("raw" in type) return { id: rawId, size: type.raw, order: "network", codec: rawCodec(type.raw) };
  const size = Math.ceil(type.integer / 8);
  if (size < 1 || size > maximumIntegerBytes)
    throw new RangeError(`no integer field of ${type.integer} bits`);
  const order = type.order ?? "network";
  return { id: integerId, size, order, codec: integerCodec(size, order) };
}

/** The field with nft's number `id` and `size` bytes; undefined when the two do not fit or are not known. */
export function fieldFromId(id: number, size: number, order: "network" | "host"): FieldType | undefined {
  if (id === integerId && size <= maximumIntegerBytes)
    return order === "host" ? { integer: size * 8, order } : { integer: size * 8 };
  const name = datatypeById(id);
  return name !== undefined && datatypes[name].size === size ? name : undefined;
}

/** The bytes of a value, as many as the field has. Throws RangeError for a value that it cannot have. */
export function encodeField(type: FieldType, value: FieldValue): Buffer {
  return bytesWith(fieldDatatype(type).codec, value);
}

/** The value of a field's bytes. */
export function decodeField(type: FieldType, bytes: Buffer): FieldValue {
  return fieldDatatype(type).codec.read(bytes);
}

function rawCodec(size: number): Codec<FieldValue> {
  return {
    write(writer, value) {
      const bytes = Buffer.from(String(value), "hex");
      if (bytes.length !== size) throw new RangeError(`${value} has ${bytes.length} bytes, not ${size}`);
      writer.bytes(bytes);
    },
    read: (bytes) => bytes.toString("hex"),
  };
}

function integerCodec(size: number, order: "network" | "host"): Codec<FieldValue> {
  const little = order === "host" && hostIsLittle;
  return {
    write(writer, value) {
      if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value >= 2 ** (size * 8))
        throw new RangeError(`${JSON.stringify(value)} is no integer of ${size * 8} bits`);
      const bytes = Buffer.alloc(size);
      if (little) bytes.writeUIntLE(value, 0, size);
      else bytes.writeUIntBE(value, 0, size);
      writer.bytes(bytes);
    },
    read: (bytes) => (little ? bytes.readUIntLE(0, size) : bytes.readUIntBE(0, size)),
  };
}

const hostIsLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
