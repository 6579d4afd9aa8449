import {
  attribute,
  attributes,
  beginAttribute,
  endAttribute,
  nested,
  writeAttribute,
} from "../attributes.ts";
import { bytes, type Codec, text, u32be, u64be, type Writer } from "../wire.ts";
import { decodeFields, encodeFields, lengthOfFields, splitFields, writeFields } from "./concatenation.ts";
import type { FieldValue } from "./datatypes.ts";
import type { FieldType } from "./field.ts";
import { type Bounds, boundsOf, type KeyPart, partOf, predecessor, successor } from "./interval.ts";
import { hasKeyEnds } from "./set.ts";
import type { SetType } from "./set-type.ts";
import { compact } from "./symbols.ts";
import { commentOf, commentUserdata } from "./userdata.ts";
import { type Verdict, verdictCodec } from "./verdict.ts";

/** An element of a set, map or verdict map. */
export interface SetElement {
  /** One part for each field of the key; "*" is what a map gives for keys that it does not hold. */
  readonly key: readonly KeyPart[] | "*";
  /** Of a map: one value for each field of the data, or the verdict. */
  readonly data?: readonly FieldValue[] | Verdict;
  /** After how long it runs out, in milliseconds. */
  readonly timeoutMs?: number;
  /** How long it still has, in milliseconds; only the kernel tells. */
  readonly expiresInMs?: number;
  readonly comment?: string;
}

/** NFT_SET_ELEM_*. */
const NFT_SET_ELEM_INTERVAL_END = 1;
const NFT_SET_ELEM_CATCHALL = 2;

/** NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_DATA, and NFTA_DATA_VALUE in either. */
const keyNumber = 1;
const dataNumber = 2;
const valueNumber = 1;

const keyData = nested(keyNumber, attributes({ value: attribute(valueNumber, bytes) }));
const elementData = attributes({ value: attribute(valueNumber, bytes), verdict: nested(2, verdictCodec) });

/** NFTA_SET_ELEM_*. */
export const elementAttributes = attributes({
  flags: attribute(3, u32be),
  key: keyData,
  keyEnd: nested(10, keyData.codec),
  data: nested(dataNumber, elementData),
  timeout: attribute(4, u64be),
  expiration: attribute(5, u64be),
  userdata: attribute(6, bytes),
  objectName: attribute(9, text),
});

/** One element on the wire; a simple interval is two of them. */
export type ElementWire = typeof elementAttributes extends Codec<infer T> ? T : never;

/**
 * What stands for an element on the wire: one, or for an interval of a single field its beginning and
 * its end. Throws RangeError when the element does not fit the set.
 */
export function elementToWire(type: SetType, element: SetElement): readonly ElementWire[] {
  const rest = {
    ...dataToWire(type, element),
    timeout: element.timeoutMs === undefined ? undefined : BigInt(element.timeoutMs),
    userdata: commentUserdata(element.comment),
  };
  if (element.key === "*") return [{ flags: NFT_SET_ELEM_CATCHALL, ...rest }];
  if (!type.interval) return [{ key: { value: encodeFields(type.key, singles(element.key)) }, ...rest }];
  const bounds = boundsOfKey(type.key, element.key);
  if (hasKeyEnds(type)) return [{ key: { value: bounds.low }, keyEnd: { value: bounds.high }, ...rest }];
  const end = successor(bounds.high);
  const begin = { key: { value: bounds.low }, ...rest };
  // An interval up to the highest value has no end, for there is nothing after it.
  return end === undefined ? [begin] : [begin, { key: { value: end }, flags: NFT_SET_ELEM_INTERVAL_END }];
}

/** Writes an entry of a list of elements (NFTA_LIST_ELEM) for each of {@link elementToWire}. Throws as that does. */
export function writeElement(writer: Writer, type: SetType, element: SetElement): void {
  const { key, data, comment, timeoutMs } = element;
  const isPlain = key !== "*" && type.interval !== true && comment === undefined && timeoutMs === undefined;
  if (isPlain && (data === undefined || isList(data))) {
    // Most elements, and there are thousands: the same bytes without an object for each attribute.
    const start = beginAttribute(writer, listEntry, true);
    writeValue(writer, keyNumber, type.key, singles(key));
    if (data !== undefined) writeValue(writer, dataNumber, dataFields(type), data);
    endAttribute(writer, start);
    return;
  }
  for (const wire of elementToWire(type, element))
    writeAttribute(writer, listEntry, true, () => elementAttributes.write(writer, wire));
}

/** NFTA_LIST_ELEM. */
export const listEntry = 1;

function writeValue(
  writer: Writer,
  number: number,
  fields: readonly FieldType[],
  values: readonly FieldValue[],
): void {
  const start = beginAttribute(writer, number, true);
  const value = beginAttribute(writer, valueNumber, false);
  writeFields(writer, fields, values);
  endAttribute(writer, value);
  endAttribute(writer, start);
}

function dataFields({ data: fields }: SetType): readonly FieldType[] {
  if (fields === undefined) throw new RangeError("data for a set that is no map");
  if (fields === "verdict") throw new RangeError("values for a verdict map");
  return fields;
}

function isList(data: NonNullable<SetElement["data"]>): data is readonly FieldValue[] {
  return Array.isArray(data);
}

function dataToWire(type: SetType, { data }: SetElement): Pick<ElementWire, "data"> {
  if (data === undefined) return {}; // as when it is deleted
  if (isList(data)) return { data: { value: encodeFields(dataFields(type), data) } };
  if (type.data === undefined) throw new RangeError("data for a set that is no map");
  return { data: { verdict: data } };
}

function singles(parts: readonly KeyPart[]): readonly FieldValue[] {
  if (!parts.every(isSingle)) throw new RangeError("a range in a set that is none of intervals");
  return parts;
}

function isSingle(part: KeyPart): part is FieldValue {
  return typeof part !== "object";
}

function boundsOfKey(fields: readonly FieldType[], parts: readonly KeyPart[]): Bounds {
  if (fields.length !== parts.length)
    throw new RangeError(`${parts.length} parts for ${fields.length} fields`);
  const low = Buffer.alloc(lengthOfFields(fields));
  const high = Buffer.alloc(low.length);
  for (const [i, { field, bytes: place }] of splitFields(fields, low).entries()) {
    const bounds = boundsOf(field, parts[i] ?? ""); // as many parts as fields, see above
    place.set(bounds.low);
    bounds.high.copy(high, place.byteOffset - low.byteOffset);
  }
  return { low, high };
}

/** The elements that were dumped of a set. Simple intervals, which come in halves, are put together. */
export function elementsFromWire(type: SetType, dumped: readonly ElementWire[]): readonly SetElement[] {
  const pairs = type.interval && !hasKeyEnds(type);
  return pairs ? pairedElements(type, dumped) : dumped.map((wire) => elementFromWire(type, wire));
}

function elementFromWire(type: SetType, wire: ElementWire): SetElement {
  if (isCatchall(wire)) return { key: "*", ...restOf(type, wire) };
  const low = wire.key?.value ?? Buffer.alloc(0);
  if (!hasKeyEnds(type)) return { key: decodeFields(type.key, low), ...restOf(type, wire) };
  const high = splitFields(type.key, wire.keyEnd?.value ?? low);
  const key = splitFields(type.key, low).map(({ field, bytes }, i) =>
    partOf(field, { low: bytes, high: high[i]?.bytes ?? bytes }),
  );
  return { key, ...restOf(type, wire) };
}

function pairedElements(type: SetType, dumped: readonly ElementWire[]): readonly SetElement[] {
  const [field] = type.key;
  if (field === undefined) return [];
  const found: SetElement[] = dumped.filter(isCatchall).map((wire) => elementFromWire(type, wire));
  let begin: ElementWire | undefined;
  const close = (high: Buffer) => {
    if (begin === undefined) return;
    const low = Buffer.from(begin.key?.value ?? []);
    found.push({ key: [partOf(field, { low, high })], ...restOf(type, begin) });
    begin = undefined;
  };
  for (const wire of dumped.filter((one) => !isCatchall(one)).sort(compareWire)) {
    const at = Buffer.from(wire.key?.value ?? []);
    close(predecessor(at));
    if (!isEnd(wire)) begin = wire;
  }
  close(Buffer.alloc(lengthOfFields(type.key), 0xff));
  return found;
}

const isEnd = (wire: ElementWire) => ((wire.flags ?? 0) & NFT_SET_ELEM_INTERVAL_END) !== 0;
const isCatchall = (wire: ElementWire) => ((wire.flags ?? 0) & NFT_SET_ELEM_CATCHALL) !== 0;

/** By key; where one interval ends and the next begins, the end comes first. */
function compareWire(a: ElementWire, b: ElementWire): number {
  const order = Buffer.compare(a.key?.value ?? Buffer.alloc(0), b.key?.value ?? Buffer.alloc(0));
  return order || Number(isEnd(b)) - Number(isEnd(a));
}

function restOf(type: SetType, wire: ElementWire): Omit<SetElement, "key"> {
  return compact({
    data: dataFromWire(type, wire.data),
    timeoutMs: wire.timeout === undefined ? undefined : Number(wire.timeout),
    expiresInMs: wire.expiration === undefined ? undefined : Number(wire.expiration),
    comment: commentOf(wire.userdata),
  });
}

function dataFromWire(type: SetType, wire: ElementWire["data"]): SetElement["data"] {
  if (wire === undefined) return undefined;
  if (wire.verdict !== undefined) return wire.verdict;
  if (wire.value === undefined || type.data === undefined || type.data === "verdict") return undefined;
  return decodeFields(type.data, wire.value);
}
