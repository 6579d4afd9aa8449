import { attribute, attributeList, attributes, nested, readAttributes } from "../attributes.ts";
import { headerSize } from "../message.ts";
import { type Codec, text, u32be, Writer } from "../wire.ts";
import { type Change, type CreateOptions, createFlags, type DeleteOptions } from "./change.ts";
import { lengthOfFields } from "./concatenation.ts";
import { type ElementWire, elementAttributes, elementToWire, type SetElement } from "./element.ts";
import { type MessageName, request } from "./protocol.ts";
import type { SetName } from "./set.ts";
import type { SetType } from "./set-type.ts";
import { describe } from "./table.ts";

/** An attribute's length is 16 bits; one list of elements stays below that, in bytes. */
const listMaximum = 60_000;

const written = attributeList(1, elementAttributes, { nested: true });

/** A list of elements. The kernel takes any numbers for its entries: libnftnl counts them up from 1. */
const elementList: Codec<readonly ElementWire[]> = {
  write: written.write,
  read: (bytes) => [...readAttributes(bytes)].map(({ payload }) => elementAttributes.read(payload)),
};

/** NFTA_SET_ELEM_LIST_*. */
export const elementListAttributes = attributes({
  table: attribute(1, text),
  set: attribute(2, text),
  setId: attribute(4, u32be),
  elements: nested(3, elementList),
});

type Wire = typeof elementListAttributes extends Codec<infer T> ? T : never;

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
  return request({ call, family: name.family, flags, object, codec: elementListAttributes, value });
}

/** An element and how it stands on the wire. */
interface Encoded {
  readonly element: SetElement;
  readonly wires: readonly ElementWire[];
}

function messages(
  call: MessageName,
  name: SetName,
  type: SetType,
  elements: readonly SetElement[],
  { flags, setId }: { readonly flags: number; readonly setId: number | undefined },
): readonly Change[] {
  const encoded = elements.map((element) => ({ element, wires: elementToWire(type, element) }));
  return chunks(type, encoded).map((chunk): Change => {
    const value = { table: name.table, set: name.set, setId, elements: chunk.flatMap(({ wires }) => wires) };
    const change = elementRequest(call, name, value, flags, describeElements(name));
    return { ...change, objectAt: (offset) => elementAt(name, change, chunk, offset) };
  });
}

/** Groups of elements that fit into one message each. */
function chunks(type: SetType, encoded: readonly Encoded[]): readonly (readonly Encoded[])[] {
  const groups: Encoded[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const one of encoded) {
    const more = one.wires.reduce((sum, wire) => sum + wireSize(type, wire), 0);
    if (size + more > listMaximum) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)?.push(one);
    size += more;
  }
  return groups;
}

/** How many bytes an element takes at most: each attribute with its header and padding. */
function wireSize(type: SetType, wire: ElementWire): number {
  const nestedValue = (length: number) => 8 + length + 3;
  const key = nestedValue(lengthOfFields(type.key));
  const verdict = wire.data?.verdict;
  const chain = verdict !== undefined && "chain" in verdict ? verdict.chain.length * 4 + 8 : 0;
  const data = nestedValue(wire.data?.value?.length ?? 0) + 8 + chain;
  const fixed = 4 + 8 + 12 + 12; // list entry, flags, timeout, expiration
  return fixed + key * 2 + data + 8 + (wire.userdata?.length ?? 0);
}

/** The element that stands at an offset of the message, as `10.0.0.1 . tcp . 80`. */
function elementAt(
  name: SetName,
  change: Change,
  chunk: readonly Encoded[],
  offset: number,
): string | undefined {
  const writer = new Writer();
  change.body(writer);
  let end = headerSize + writer.length;
  // The list is the message's last attribute, so its elements are found from the end.
  for (const { element, wires } of chunk.toReversed()) {
    for (const wire of wires) end -= sizeOf(wire);
    if (offset >= end) return `element ${keyText(element)} of ${describe("set", name, name.set)}`;
  }
  return undefined;
}

function sizeOf(wire: ElementWire): number {
  const writer = new Writer();
  elementList.write(writer, [wire]);
  return writer.length;
}

function keyText({ key }: SetElement): string {
  if (key === "*") return key;
  const parts = key.map((part) => (typeof part === "object" ? `${part.from}-${part.to}` : String(part)));
  return parts.join(" . ");
}
