import { attribute, attributeList, attributes, nested, readAttributes } from "../attributes.ts";
import { headerSize } from "../message.ts";
import { bytes, type Codec, text, u32be, Writer } from "../wire.ts";
import { type Change, type CreateOptions, createFlags, type DeleteOptions } from "./change.ts";
import { type ElementWire, elementAttributes, listEntry, type SetElement, writeElement } from "./element.ts";
import { type MessageName, request } from "./protocol.ts";
import type { SetName } from "./set.ts";
import type { SetType } from "./set-type.ts";
import { describe } from "./table.ts";

/** An attribute's length is 16 bits; one list of elements stays below that, in bytes. */
const listMaximum = 60_000;

/** A list of elements. The kernel takes any numbers for its entries: libnftnl counts them up from 1. */
const elementList: Codec<readonly ElementWire[]> = {
  write: attributeList(listEntry, elementAttributes, { nested: true }).write,
  read: (bytes) => [...readAttributes(bytes)].map(({ payload }) => elementAttributes.read(payload)),
};

/** NFTA_SET_ELEM_LIST_*. */
const listAttributes = <T>(elements: Codec<T>) =>
  attributes({
    table: attribute(1, text),
    set: attribute(2, text),
    setId: attribute(4, u32be),
    elements: nested(3, elements),
  });

/** A message about elements. */
export const elementListAttributes = listAttributes(elementList);

/** The same with a list that is written already. */
const encodedListAttributes = listAttributes(bytes);

type Wire = typeof encodedListAttributes extends Codec<infer T> ? T : never;

/** How elements are added. */
export interface AddElementsOptions extends CreateOptions {
  /** The number of a set that the same batch makes. */
  readonly setId?: number;
}

/**
 * Adds elements, in as many messages as they need. One that is there with the same data is no error
 * unless `exclusive`; one with other data is EEXIST. Throws RangeError when one does not fit the type.
 */
export function addElements(
  name: SetName,
  type: SetType,
  elements: readonly SetElement[],
  options?: AddElementsOptions,
): readonly Change[] {
  const flags = createFlags(options);
  return messages("NFT_MSG_NEWSETELEM", name, type, elements, { flags, setId: options?.setId });
}

/** Deletes elements; their data is not looked at. ENOENT when one is not there, unless `ifExists`. */
export function deleteElements(
  name: SetName,
  type: SetType,
  elements: readonly SetElement[],
  options?: DeleteOptions,
): readonly Change[] {
  const call = options?.ifExists ? "NFT_MSG_DESTROYSETELEM" : "NFT_MSG_DELSETELEM";
  const keys = elements.map(({ key }) => ({ key }));
  return messages(call, name, type, keys, { flags: 0, setId: undefined });
}

/** Deletes all elements of a set. */
export function flushSet(name: SetName): readonly Change[] {
  const value = { table: name.table, set: name.set };
  return [elementRequest("NFT_MSG_DELSETELEM", name, value, 0, describeElements(name))];
}

const describeElements = (name: SetName) => describe("elements of set", name, name.set);

function elementRequest(
  call: MessageName,
  name: SetName,
  value: Wire,
  flags: number,
  object: string,
): Change {
  return request({ call, family: name.family, flags, object, codec: encodedListAttributes, value });
}

/** Elements of one message: their entries, and where in them each begins. */
interface Chunk {
  readonly elements: readonly SetElement[];
  readonly starts: readonly number[];
  readonly entries: Buffer;
}

function messages(
  call: MessageName,
  name: SetName,
  type: SetType,
  elements: readonly SetElement[],
  { flags, setId }: { readonly flags: number; readonly setId: number | undefined },
): readonly Change[] {
  return chunks(type, elements).map((chunk): Change => {
    const value = { table: name.table, set: name.set, setId, elements: chunk.entries };
    const change = elementRequest(call, name, value, flags, describeElements(name));
    return { ...change, objectAt: (offset) => elementAt(name, change, chunk, offset) };
  });
}

/** Groups of elements that fit into one message each. */
function chunks(type: SetType, elements: readonly SetElement[]): readonly Chunk[] {
  const writer = new Writer();
  const found: Chunk[] = [];
  let first = 0;
  let begin = 0;
  let starts: number[] = [];
  const cut = (next: number, end: number) => {
    if (next === first) return;
    found.push({
      elements: elements.slice(first, next),
      starts,
      entries: writer.finish().subarray(begin, end),
    });
    [first, begin, starts] = [next, end, []];
  };
  for (const [i, element] of elements.entries()) {
    const start = writer.length;
    writeElement(writer, type, element);
    if (writer.length - begin > listMaximum) cut(i, start);
    starts.push(start - begin);
  }
  cut(elements.length, writer.length);
  return found;
}

/** The element that stands at an offset of the message, as `10.0.0.1 . tcp . 80`. */
function elementAt(name: SetName, change: Change, chunk: Chunk, offset: number): string | undefined {
  const writer = new Writer();
  change.body(writer);
  // The list is the message's last attribute.
  const at = offset - (headerSize + writer.length - chunk.entries.length);
  const index = chunk.starts.findLastIndex((start) => start <= at);
  const element = chunk.elements[index];
  return element && `element ${keyText(element)} of ${describe("set", name, name.set)}`;
}

function keyText({ key }: SetElement): string {
  if (key === "*") return key;
  const parts = key.map((part) => (typeof part === "object" ? `${part.from}-${part.to}` : String(part)));
  return parts.join(" . ");
}
