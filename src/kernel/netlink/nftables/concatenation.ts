import type { Writer } from "../wire.ts";
import type { FieldValue } from "./datatypes.ts";
import { bytesWith } from "./datatypes.ts";
import { decodeField, type FieldType, fieldDatatype, fieldFromId } from "./field.ts";

/** nft packs the numbers of a concatenation's parts into one, six bits each. */
const idBits = 6;
const idMask = (1 << idBits) - 1;

/** Bytes that a part takes: in a concatenation each is padded to a multiple of four. */
function partSize(fields: readonly FieldType[], field: FieldType): number {
  const { size } = fieldDatatype(field);
  return fields.length === 1 ? size : (size + 3) & ~3;
}

/** The length of a key (or of a map's data) of these fields, in bytes. */
export function lengthOfFields(fields: readonly FieldType[]): number {
  return fields.reduce((sum, field) => sum + partSize(fields, field), 0);
}

/** The lengths of the parts, unpadded, in bytes; what NFTA_SET_DESC_CONCAT wants. */
export function partLengths(fields: readonly FieldType[]): readonly number[] {
  return fields.map((field) => fieldDatatype(field).size);
}

/** nft's number for the fields: that of the only one, or those of all packed. */
export function typeIdOf(fields: readonly FieldType[]): number {
  return fields.reduce((id, field) => ((id << idBits) | fieldDatatype(field).id) >>> 0, 0);
}

/** What is known of a set's key or data when it was dumped. */
export interface DumpedType {
  readonly id: number;
  /** In bytes. */
  readonly length: number;
  /** Of a single integer, when nft noted it. */
  readonly order?: "network" | "host" | undefined;
  /** Of each part that is an integer, when nft's typeof tells. */
  readonly integers?: readonly (FieldType | undefined)[] | undefined;
}

/** The fields of a dumped set; one raw field when they cannot be told. */
export function fieldsOf(dumped: DumpedType): readonly FieldType[] {
  const ids = splitId(dumped.id);
  if (ids.length <= 1) {
    const single = fieldFromId(dumped.id, dumped.length, dumped.order ?? "network");
    return [single ?? { raw: dumped.length }];
  }
  const fields = ids.map((id, i) => dumped.integers?.[i] ?? sized(id));
  const known = fields.filter((field) => field !== undefined);
  const fits = known.length === fields.length && lengthOfFields(known) === dumped.length;
  return fits ? known : [{ raw: dumped.length }];
}

function splitId(id: number): readonly number[] {
  const ids: number[] = [];
  for (let rest = id; rest !== 0; rest >>>= idBits) ids.unshift(rest & idMask);
  return ids;
}

/** The field with this number if its number alone tells its size. */
function sized(id: number): FieldType | undefined {
  for (const size of [1, 2, 4, 6, 16]) {
    const field = fieldFromId(id, size, "network");
    if (typeof field === "string") return field;
  }
  return undefined;
}

/** Writes a key as {@link encodeFields} gives it. Throws as that does. */
export function writeFields(
  writer: Writer,
  fields: readonly FieldType[],
  values: readonly FieldValue[],
): void {
  if (fields.length !== values.length)
    throw new RangeError(`${values.length} values for ${fields.length} fields: ${values.join(" . ")}`);
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i];
    const value = values[i];
    if (field === undefined || value === undefined) continue; // neither list has holes
    const { codec, size } = fieldDatatype(field);
    codec.write(writer, value);
    if (fields.length > 1) writer.zeros(-size & 3);
  }
}

/**
 * The bytes of a key as the kernel wants it: the parts one after the other, each padded with zeros.
 * Throws RangeError when there are too few or too many values, or one cannot be had by its field.
 */
export function encodeFields(fields: readonly FieldType[], values: readonly FieldValue[]): Buffer {
  return bytesWith({ write: (writer) => writeFields(writer, fields, values) }, undefined);
}

/** The values of a key's bytes. Throws RangeError when they are too few. */
export function decodeFields(fields: readonly FieldType[], bytes: Uint8Array): readonly FieldValue[] {
  return splitFields(fields, bytes).map(({ field, bytes }) => decodeField(field, bytes));
}

/** The bytes of each part, without its padding. Throws RangeError when they are too few. */
export function splitFields(fields: readonly FieldType[], bytes: Uint8Array) {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  return fields.map((field) => {
    const { size } = fieldDatatype(field);
    if (at + size > buffer.length) throw new RangeError(`${buffer.length} bytes are too few for the fields`);
    const part = { field, bytes: buffer.subarray(at, at + size) };
    at += partSize(fields, field);
    return part;
  });
}
