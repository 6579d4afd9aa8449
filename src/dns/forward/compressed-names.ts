import { headerBytes } from "../protocol.ts";

const largestName = 255;
const largestLabel = 63;
/** Pointers followed in one name; a name has at most 127 labels, so honest ones have fewer. */
const maxPointers = 127;

// One message at a time is checked, synchronously. 0: not known, else the length of the name from there.
const lengths = new Uint8Array(65_536);

/**
 * Checks the names of one message, which may end in pointers (RFC 1035 §4.1.4). A pointer must lead to
 * before the labels that it ends, so that none leads in a circle; what was found of a name once is not
 * walked again, so that a message of nothing but pointers costs no more than another. One checker is
 * used at a time.
 */
export class NameChecker {
  readonly #message: Uint8Array;

  constructor(message: Uint8Array) {
    this.#message = message;
    lengths.fill(0, 0, message.length);
  }

  /** The offset behind the name at `start`; undefined when it is broken, too long, or points where it may not. */
  end(start: number): number | undefined {
    return this.#walk(start, maxPointers)?.end;
  }

  #walk(start: number, pointersLeft: number): { readonly end: number; readonly length: number } | undefined {
    const message = this.#message;
    let at = start;
    for (;;) {
      const size = message[at];
      if (size === undefined || at - start >= largestName) return undefined;
      if (size === 0) return this.#note(start, at, at + 1, 1);
      if (size > largestLabel) break;
      at += size + 1;
    }
    const [high = 0, low] = [message[at], message[at + 1]];
    const target = ((high & 0x3f) << 8) | (low ?? 0);
    if (high < 0xc0 || low === undefined || target < headerBytes || target >= start) return undefined;
    const rest =
      lengths[target] || (pointersLeft > 0 ? this.#walk(target, pointersLeft - 1)?.length : undefined);
    return rest === undefined ? undefined : this.#note(start, at, at + 2, rest);
  }

  /** Notes the lengths of the name from `start` and from each further label before `last`, where `rest` bytes follow. */
  #note(
    start: number,
    last: number,
    end: number,
    rest: number,
  ): { readonly end: number; readonly length: number } | undefined {
    const length = last - start + rest;
    if (length > largestName) return undefined;
    for (let at = start; at < last; at += (this.#message[at] ?? 0) + 1) lengths[at] = last - at + rest;
    if (last === start && rest === 1) lengths[start] = 1; // the root
    return { end, length };
  }
}
