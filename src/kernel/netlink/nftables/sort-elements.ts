import { type ElementWire, elementToWire, type SetElement } from "./element.ts";
import type { SetType } from "./set-type.ts";

const nothing = Buffer.alloc(0);

function firstKey([first]: readonly ElementWire[]): Uint8Array {
  return first?.key?.value ?? nothing;
}

/**
 * The elements in the order of their keys' bytes, "*" first. A set has no order; this is the one in
 * which two lists of the same elements are the same list. Throws RangeError when one does not fit.
 */
export function sortElements(type: SetType, elements: readonly SetElement[]): readonly SetElement[] {
  return elements
    .map((element) => ({ element, key: firstKey(elementToWire(type, element)) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ element }) => element);
}
