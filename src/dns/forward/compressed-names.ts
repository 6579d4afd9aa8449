const largestName = 255;
const largestLabel = 63;

// One message at a time is checked, synchronously. 0: no label of a checked name begins here, else the
// length of the name from here on.
const lengths = new Uint8Array(65_536);

/**
 * Checks the names of one message in the order in which they are in it. A name may end in a pointer
 * (RFC 1035 §4.1.4), but only to a label of a name that was checked before. So no pointer leads in a
 * circle, to another pointer, or to bytes that change while an answer ages; and a message of nothing but
 * pointers costs no more than another. One checker is used at a time.
 */
export class NameChecker {
  readonly #message: Uint8Array;

  constructor(message: Uint8Array) {
    this.#message = message;
    lengths.fill(0, 0, message.length);
  }

  /** The offset behind the name at `start`; undefined when it is broken, too long, or points where it may not. */
  end(start: number): number | undefined {
    let at = start;
    for (;;) {
      const size = this.#message[at];
      if (size === undefined || at - start >= largestName) return undefined;
      if (size === 0) return this.#note(start, at, 1) ? at + 1 : undefined;
      if (size > largestLabel) break;
      at += size + 1;
    }
    const [high = 0, low] = [this.#message[at], this.#message[at + 1]];
    if (high < 0xc0 || low === undefined) return undefined;
    const target = ((high & 0x3f) << 8) | low;
    // What is behind the message was noted of longer ones before it.
    const rest = target < at ? (lengths[target] ?? 0) : 0;
    return rest > 0 && this.#note(start, at, rest) ? at + 2 : undefined;
  }

  /** Notes each label from `start` to `last`, where `rest` more bytes of name follow; false when that is too much. */
  #note(start: number, last: number, rest: number): boolean {
    if (last - start + rest > largestName) return false;
    for (let at = start; at < last; at += (this.#message[at] ?? 0) + 1) lengths[at] = last - at + rest;
    return true;
  }
}
