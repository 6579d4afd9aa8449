import { MalformedMessage, truncated } from "./malformed.ts";

// LZW as GIF has it: bits from the least significant, 8-bit literals, codes of 9 to 12 bits (gossip.md B.4).
const clear = 256;
const end = 257;
const firstWidth = 9;
const maxWidth = 12;
const maxCodes = 1 << maxWidth;

/** From (prefix code, byte) to code, 0 for none; 2 MiB, made when first used and left empty by each use. */
let codes: Int16Array | undefined;

/** Compresses for peers; always begins with a clear code and ends with the end code. */
export function lzwEncode(input: Uint8Array): Buffer {
  const out = new CodeWriter(input.length);
  codes ??= new Int16Array(maxCodes << 8);
  const table = codes;
  const used: number[] = [];
  const empty = () => {
    for (const at of used) table[at] = 0;
    used.length = 0;
  };
  let width = firstWidth;
  let last = end; // the code given out last
  let prefix = -1;
  /** A code was written: the reader has one more, and grows its width when that no longer fits. */
  const grow = () => {
    last++;
    if (last === maxCodes - 1) {
      out.put(clear, maxWidth);
      empty();
      last = end;
      width = firstWidth;
      return false;
    }
    if (last === 1 << width) width++;
    return true;
  };
  out.put(clear, width);
  for (const byte of input) {
    if (prefix < 0) {
      prefix = byte;
      continue;
    }
    const at = (prefix << 8) | byte;
    const known = table[at];
    if (known) {
      prefix = known;
      continue;
    }
    out.put(prefix, width);
    if (grow()) {
      table[at] = last;
      used.push(at);
    }
    prefix = byte;
  }
  if (prefix >= 0) {
    out.put(prefix, width);
    grow();
  }
  out.put(end, width);
  empty();
  return out.finish();
}

class CodeWriter {
  #bytes: Buffer;
  #at = 0;
  #bits = 0;
  #held = 0;

  constructor(inputLength: number) {
    this.#bytes = Buffer.allocUnsafe(16 + inputLength);
  }

  put(code: number, width: number): void {
    this.#bits |= code << this.#held;
    this.#held += width;
    while (this.#held >= 8) {
      this.#byte(this.#bits & 0xff);
      this.#bits >>>= 8;
      this.#held -= 8;
    }
  }

  finish(): Buffer {
    if (this.#held > 0) this.#byte(this.#bits & 0xff);
    return this.#bytes.subarray(0, this.#at);
  }

  #byte(value: number): void {
    if (this.#at === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], 2 * this.#bytes.length);
    this.#bytes[this.#at++] = value;
  }
}

/**
 * Gives back what was compressed, at most `maxBytes` of it: what would be more, and what is no LZW, throws
 * {@link MalformedMessage}. Memory grows with what comes out, never with what a message claims.
 */
export function lzwDecode(input: Uint8Array, maxBytes: number): Buffer {
  let out = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(256, 4 * input.length)));
  let length = 0;
  // Each code is a place in what came out already: where the code before it began, and one byte more.
  const starts = new Int32Array(maxCodes);
  const lengths = new Int32Array(maxCodes);
  let width = firstWidth;
  let next = end + 1;
  let lastStart = -1; // where the last code's bytes lie in `out`; none after a clear
  let lastLength = 0;
  let bits = 0;
  let held = 0;
  let at = 0;
  for (;;) {
    while (held < width) {
      const byte = input[at++];
      if (byte === undefined) throw truncated(1);
      bits |= byte << held;
      held += 8;
    }
    const code = bits & ((1 << width) - 1);
    bits >>>= width;
    held -= width;
    if (code === end) return out.subarray(0, length);
    if (code === clear) {
      width = firstWidth;
      next = end + 1;
      lastStart = -1;
      continue;
    }
    const isNew = code === next && lastStart >= 0 && next < maxCodes;
    if (code > end && code >= next && !isNew)
      throw new MalformedMessage(`compressed gossip has the unknown code ${code}`);
    const size = code < clear ? 1 : isNew ? lastLength + 1 : (lengths[code] ?? 0);
    if (length + size > maxBytes)
      throw new MalformedMessage(`compressed gossip is more than ${maxBytes} bytes when it is decompressed`);
    if (length + size > out.length) {
      const larger = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(length + size, 2 * out.length)));
      out.copy(larger, 0, 0, length);
      out = larger;
    }
    // What the last code wrote and this one's first byte are the new code; for `isNew` that is itself.
    if (lastStart >= 0 && next < maxCodes) {
      starts[next] = lastStart;
      lengths[next] = lastLength + 1;
      next++;
    }
    const start = length;
    if (code < clear) out[length++] = code;
    else {
      const from = starts[code] ?? 0;
      for (let i = 0; i < size; i++) out[length++] = out[from + i] ?? 0; // may overlap: byte by byte
    }
    lastStart = start;
    lastLength = size;
    if (next >= 1 << width && width < maxWidth) width++;
  }
}
