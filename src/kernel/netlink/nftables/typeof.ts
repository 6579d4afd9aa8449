import { type MetaKey, metaKeys } from "./expressions/meta.ts";
import { type PayloadBase, payloadBases } from "./expressions/payload.ts";
import type { FieldType } from "./field.ts";
import {
  readUserdata,
  type UserdataEntry,
  u32Entry,
  u32Value,
  userdataValue,
  writeUserdata,
} from "./userdata.ts";

/** nft's numbers of a header and of a field in it; enum proto_desc_id, and the order of its templates. */
const headerFields = {
  "tcp sport": [8, 1],
  "tcp dport": [8, 2],
  "udp sport": [6, 1],
  "udp dport": [6, 2],
  "ip saddr": [12, 11],
  "ip daddr": [12, 12],
  "ip6 saddr": [13, 8],
  "ip6 daddr": [13, 9],
  "th sport": [11, 1],
  "th dport": [11, 2],
} as const;

/** A field of a header that nft has a name for. */
export type HeaderField = keyof typeof headerFields;

/**
 * What a set's field was declared by, as in `typeof ip daddr . numgen random mod 16`. Only nft reads it:
 * to print the set, and to know what may be looked up in it when the listing is loaded again.
 */
export type TypeofField =
  | HeaderField
  /** `@th,96,24`; offset and length in bits. */
  | { readonly payload: PayloadBase; readonly offsetBits: number; readonly lengthBits: number }
  | { readonly meta: MetaKey }
  | { readonly numgen: "inc" | "random"; readonly modulus: number; readonly offset?: number };

/** enum expr_types of nft. */
const EXPR_PAYLOAD = 7;
const EXPR_META = 9;
const EXPR_CONCAT = 13;
const EXPR_NUMGEN = 23;

/** The userdata value that stands for a declaration by `fields`. */
export function encodeTypeof(fields: readonly TypeofField[]): Uint8Array {
  const [only] = fields;
  if (fields.length === 1 && only !== undefined) return tlv(fieldEntries(only));
  const parts = fields.map((field, type) => ({ type, value: tlv(fieldEntries(field)) }));
  return tlv([u32Entry(0, EXPR_CONCAT), { type: 1, value: tlv(parts) }]);
}

/** The declaration that a userdata value stands for; undefined for one of other expressions, or an empty one. */
export function decodeTypeof(value: Uint8Array | undefined): readonly TypeofField[] | undefined {
  const entries = readUserdata(value);
  if (u32Value(userdataValue(entries, 0)) !== EXPR_CONCAT) {
    const only = decodeField(entries);
    return only === undefined ? undefined : [only];
  }
  const parts = readUserdata(userdataValue(entries, 1)).map((part) => decodeField(readUserdata(part.value)));
  const known = parts.filter((part) => part !== undefined);
  return known.length > 0 && known.length === parts.length ? known : undefined;
}

/** The type of an integer field that was declared so; undefined when the declaration does not make one. */
export function integerOf(field: TypeofField): FieldType | undefined {
  if (typeof field === "string" || "meta" in field) return undefined;
  return "numgen" in field ? { integer: 32, order: "host" } : { integer: field.lengthBits };
}

function tlv(entries: readonly UserdataEntry[]): Uint8Array {
  return writeUserdata(entries) ?? new Uint8Array();
}

function fieldEntries(field: TypeofField): readonly UserdataEntry[] {
  if (typeof field === "string") {
    const [header, number] = headerFields[field];
    return [u32Entry(0, EXPR_PAYLOAD), { type: 1, value: tlv([u32Entry(0, header), u32Entry(1, number)]) }];
  }
  if ("meta" in field)
    return [u32Entry(0, EXPR_META), { type: 1, value: tlv([u32Entry(0, metaKeys[field.meta])]) }];
  if ("numgen" in field) {
    const values = [field.numgen === "random" ? 1 : 0, field.modulus, field.offset ?? 0];
    return [u32Entry(0, EXPR_NUMGEN), { type: 1, value: tlv(values.map((v, i) => u32Entry(i, v))) }];
  }
  // A payload without a known header: numbers 0 and 0, then where it is. nft counts bases from 1.
  const values = [0, 0, payloadBases[field.payload] + 1, field.offsetBits, field.lengthBits];
  return [u32Entry(0, EXPR_PAYLOAD), { type: 1, value: tlv(values.map((v, i) => u32Entry(i, v))) }];
}

function decodeField(entries: readonly UserdataEntry[]): TypeofField | undefined {
  const inner = readUserdata(userdataValue(entries, 1));
  const number = (type: number) => u32Value(userdataValue(inner, type)) ?? 0;
  switch (u32Value(userdataValue(entries, 0))) {
    case EXPR_PAYLOAD:
      return number(0) === 0 && number(1) === 0
        ? decodePlace(number(2) - 1, number(3), number(4))
        : decodeHeaderField(number(0), number(1));
    case EXPR_META:
      return decodeMeta(number(0));
    case EXPR_NUMGEN: {
      const offset = number(2) === 0 ? {} : { offset: number(2) };
      return { numgen: number(0) === 1 ? "random" : "inc", modulus: number(1), ...offset };
    }
    default:
      return undefined;
  }
}

function decodeHeaderField(header: number, field: number): HeaderField | undefined {
  // Object.keys forgets that the keys are HeaderFields.
  return (Object.keys(headerFields) as HeaderField[]).find(
    (name) => headerFields[name][0] === header && headerFields[name][1] === field,
  );
}

function decodeMeta(number: number): TypeofField | undefined {
  // Object.keys forgets that the keys are MetaKeys.
  const meta = (Object.keys(metaKeys) as MetaKey[]).find((key) => metaKeys[key] === number);
  return meta === undefined ? undefined : { meta };
}

function decodePlace(base: number, offsetBits: number, lengthBits: number): TypeofField | undefined {
  // Object.keys forgets that the keys are PayloadBases.
  const payload = (Object.keys(payloadBases) as PayloadBase[]).find((name) => payloadBases[name] === base);
  return payload === undefined ? undefined : { payload, offsetBits, lengthBits };
}
