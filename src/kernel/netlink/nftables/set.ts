import { attribute, attributeList, attributes, nested } from "../attributes.ts";
import { bytes, type Codec, text, u32be, u64be } from "../wire.ts";
import { type DumpedType, fieldsOf, lengthOfFields, partLengths, typeIdOf } from "./concatenation.ts";
import type { TableFamily } from "./family.ts";
import { type FieldType, fieldDatatype } from "./field.ts";
import type { SetType } from "./set-type.ts";
import { compact, flagBits } from "./symbols.ts";
import type { TableName } from "./table.ts";
import { decodeTypeof, encodeTypeof, integerOf, type TypeofField } from "./typeof.ts";
import {
  readUserdata,
  textEntry,
  textValue,
  type UserdataEntry,
  u32Entry,
  u32Value,
  userdataValue,
  writeUserdata,
} from "./userdata.ts";

/** Which set or map. */
export interface SetName extends TableName {
  readonly set: string;
}

/** A set as the kernel tells of it. */
export interface NftSet extends SetName {
  readonly handle: bigint;
  readonly type: SetType;
  /** Made for one rule and gone with it. */
  readonly anonymous: boolean;
  /** It maps to stateful objects, which are not modelled here; NFT_OBJECT_*. */
  readonly objectType?: number;
}

/** NFT_SET_*. */
const setFlags = {
  anonymous: 0x1,
  constant: 0x2,
  interval: 0x4,
  map: 0x8,
  timeout: 0x10,
  dynamic: 0x20,
  object: 0x40,
  concatenated: 0x80,
} as const;
const NFT_DATA_VERDICT = 0xffffff00;
const NFT_SET_POL_MEMORY = 1;

/** NFTNL_UDATA_SET_*: what nft notes about a set. */
const userdataTypes = {
  keyOrder: 0,
  dataOrder: 1,
  mergeElements: 2,
  keyTypeof: 3,
  dataTypeof: 4,
  comment: 7,
} as const;
/** nft's enum byteorder; a concatenation has none. */
const orders = { none: 0, host: 1, network: 2 } as const;

const fieldLength = nested(1, attributes({ length: attribute(1, u32be) }));
const description = attributes({
  size: attribute(1, u32be),
  concatenation: nested(2, attributeList(fieldLength.number, fieldLength.codec, { nested: true })),
});

/** NFTA_SET_*. */
export const setAttributes = attributes({
  table: attribute(1, text),
  name: attribute(2, text),
  flags: attribute(3, u32be),
  keyType: attribute(4, u32be),
  keyLength: attribute(5, u32be),
  dataType: attribute(6, u32be),
  dataLength: attribute(7, u32be),
  policy: attribute(8, u32be),
  id: attribute(10, u32be),
  description: nested(9, description),
  timeout: attribute(11, u64be),
  gcInterval: attribute(12, u32be),
  userdata: attribute(13, bytes),
  objectType: attribute(15, u32be),
  handle: attribute(16, u64be),
});

type Wire = typeof setAttributes extends Codec<infer T> ? T : never;

/** True when intervals are stored as a key and its end (pipapo), not as two elements (rbtree). */
export function hasKeyEnds(type: SetType): boolean {
  return type.interval === true && type.key.length > 1;
}

/** What {@link setAttributes} writes of a type. Throws RangeError when the type cannot be written. */
export function setTypeToWire(type: SetType, anonymous: boolean): Wire {
  checkType(type);
  const wantsFlags = {
    anonymous,
    constant: type.constant || anonymous,
    interval: type.interval,
    map: type.data !== undefined,
    timeout: type.timeoutMs !== undefined,
    dynamic: type.dynamic,
    object: false,
    concatenated: hasKeyEnds(type),
  };
  // Object.keys forgets that the keys are those of setFlags.
  const names = (Object.keys(setFlags) as (keyof typeof setFlags)[]).filter((name) => wantsFlags[name]);
  return {
    flags: flagBits(setFlags, names),
    keyType: typeIdOf(type.key),
    keyLength: lengthOfFields(type.key),
    ...dataToWire(type.data),
    policy: type.policy === "memory" ? NFT_SET_POL_MEMORY : undefined,
    description: describeKey(type),
    timeout: typeof type.timeoutMs === "number" ? BigInt(type.timeoutMs) : undefined,
    gcInterval: type.gcIntervalMs,
    userdata: writeUserdata(setUserdata(type)),
  };
}

function checkType(type: SetType): void {
  if (type.key.length === 0) throw new RangeError("a set without a key");
  if (type.dynamic && type.size === undefined) throw new RangeError("a dynamic set needs a size");
  const isInteger = (field: FieldType) => typeof field === "object" && "integer" in field;
  if (type.key.length > 1 && type.key.some(isInteger) && type.typeof === undefined)
    throw new RangeError("an integer in a concatenation needs typeof, else its size cannot be read back");
}

function dataToWire(data: SetType["data"]): Pick<Wire, "dataType" | "dataLength"> {
  if (data === undefined) return {};
  if (data === "verdict") return { dataType: NFT_DATA_VERDICT, dataLength: 0 };
  return { dataType: typeIdOf(data), dataLength: lengthOfFields(data) };
}

function describeKey(type: SetType): Wire["description"] {
  const lengths = hasKeyEnds(type) ? partLengths(type.key).map((length) => ({ length })) : undefined;
  if (lengths === undefined && type.size === undefined) return undefined;
  return compact({ size: type.size, concatenation: lengths });
}

function orderOf(fields: readonly FieldType[]): number {
  const [only] = fields;
  return fields.length === 1 && only !== undefined ? orders[fieldDatatype(only).order] : orders.none;
}

function setUserdata(type: SetType): readonly UserdataEntry[] {
  const entries = [u32Entry(userdataTypes.keyOrder, orderOf(type.key))];
  if (type.data !== undefined && type.data !== "verdict")
    entries.push(u32Entry(userdataTypes.dataOrder, orderOf(type.data)));
  if (type.autoMerge) entries.push(u32Entry(userdataTypes.mergeElements, 1));
  const { key, data } = type.typeof ?? {};
  if (key !== undefined) entries.push({ type: userdataTypes.keyTypeof, value: encodeTypeof(key) });
  if (data !== undefined) entries.push({ type: userdataTypes.dataTypeof, value: encodeTypeof(data) });
  if (type.comment !== undefined) entries.push(textEntry(userdataTypes.comment, type.comment));
  return entries;
}

/** The set that a message's attributes tell of. A type that cannot be told is one raw field. */
export function setFromWire(family: TableFamily, wire: Wire): NftSet {
  const bits = wire.flags ?? 0;
  return {
    family,
    table: wire.table ?? "",
    set: wire.name ?? "",
    handle: wire.handle ?? 0n,
    type: setTypeFromWire(wire),
    anonymous: (bits & setFlags.anonymous) !== 0,
    ...compact({ objectType: wire.objectType }),
  };
}

function setTypeFromWire(wire: Wire): SetType {
  const bits = wire.flags ?? 0;
  const has = (flag: keyof typeof setFlags) => ((bits & setFlags[flag]) === 0 ? undefined : (true as const));
  const userdata = readUserdata(wire.userdata);
  const keyTypeof = decodeTypeof(userdataValue(userdata, userdataTypes.keyTypeof));
  const dataTypeof = decodeTypeof(userdataValue(userdata, userdataTypes.dataTypeof));
  const timeout = wire.timeout === undefined || wire.timeout === 0n ? undefined : Number(wire.timeout);
  return {
    key: fieldsOf({
      ...dumpedType(wire.keyType, wire.keyLength, keyTypeof),
      order: orderFrom(userdataValue(userdata, userdataTypes.keyOrder)),
    }),
    ...compact({
      data: dataOf(wire, dataTypeof, orderFrom(userdataValue(userdata, userdataTypes.dataOrder))),
      interval: has("interval"),
      timeoutMs: has("timeout") && (timeout ?? (true as const)),
      gcIntervalMs: wire.gcInterval === 0 ? undefined : wire.gcInterval,
      dynamic: has("dynamic"),
      constant: has("anonymous") ? undefined : has("constant"),
      size: wire.description?.size,
      policy: wire.policy === NFT_SET_POL_MEMORY ? ("memory" as const) : undefined,
      autoMerge:
        u32Value(userdataValue(userdata, userdataTypes.mergeElements)) === 1 ? (true as const) : undefined,
      typeof: keyTypeof === undefined ? undefined : { key: keyTypeof, ...compact({ data: dataTypeof }) },
      comment: textValue(userdataValue(userdata, userdataTypes.comment)),
    }),
  };
}

function dataOf(
  wire: Wire,
  declared: readonly TypeofField[] | undefined,
  order: DumpedType["order"],
): SetType["data"] {
  if (((wire.flags ?? 0) & setFlags.map) === 0) return undefined;
  if (wire.dataType === NFT_DATA_VERDICT) return "verdict";
  return fieldsOf({ ...dumpedType(wire.dataType, wire.dataLength, declared), order });
}

function dumpedType(
  id: number | undefined,
  length: number | undefined,
  declared: readonly TypeofField[] | undefined,
): DumpedType {
  return { id: id ?? 0, length: length ?? 0, integers: declared?.map(integerOf) };
}

function orderFrom(value: Uint8Array | undefined): DumpedType["order"] {
  return u32Value(value) === orders.host ? "host" : "network";
}
