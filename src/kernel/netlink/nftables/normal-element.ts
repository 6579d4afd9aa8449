import { type FieldValue, inetProtocols } from "./datatypes.ts";
import type { SetElement } from "./element.ts";
import { decodeField, encodeField, type FieldType } from "./field.ts";
import { boundsOf, type KeyPart, partOf } from "./interval.ts";
import type { SetType } from "./set-type.ts";

/**
 * A key as the kernel tells it back: "10.0.0.1/32" is "10.0.0.1", a range that is a prefix is one, and a
 * protocol's number is its name. Throws RangeError, and INVALID_PREFIX, when it does not fit the type.
 */
export function normalKey(type: SetType, key: SetElement["key"]): SetElement["key"] {
  if (key === "*") return key;
  if (key.length !== type.key.length)
    throw new RangeError(`${key.length} parts for ${type.key.length} fields`);
  return key.map((part, i) => normalPart(type.key[i], part));
}

/** A map's data as the kernel tells it back. Throws RangeError when it does not fit the type. */
export function normalData(
  { data: fields }: SetType,
  data: NonNullable<SetElement["data"]>,
): NonNullable<SetElement["data"]> {
  if ("verdict" in data || fields === undefined || fields === "verdict") return data;
  return data.map((value, i) => normalValue(fields[i], value));
}

function normalPart(field: FieldType | undefined, part: KeyPart): KeyPart {
  if (field !== undefined && (typeof part === "object" || isPrefix(part)))
    return partOf(field, boundsOf(field, part));
  return typeof part === "object" ? part : normalValue(field, part);
}

function isPrefix(part: FieldValue): boolean {
  return typeof part === "string" && part.includes("/");
}

function normalValue(field: FieldType | undefined, value: FieldValue): FieldValue {
  // Names and numbers that stand for themselves, as most do.
  if (field === undefined || field === "ifname" || field === "inet_service") return value;
  if (field === "inet_proto" && Object.hasOwn(inetProtocols, value)) return value;
  return decodeField(field, encodeField(field, value));
}
