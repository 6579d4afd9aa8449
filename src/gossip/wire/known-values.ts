/** Names and addresses come again and again: what was read lately is not made anew. Bounded, whatever comes. */
const slots = 8192;
const texts: string[] = new Array<string>(slots).fill("");
const values: Uint8Array[] = new Array<Uint8Array>(slots).fill(new Uint8Array(0));
/** Longer text is made anew each time. */
const longestText = 64;

/** Longer bytes are not looked up. An IPv6 address has as many. */
export const longestKnown = 16;

/** The UTF-8 text of `length` bytes from `start` on. */
export function knownText(bytes: Buffer, start: number, length: number): string {
  if (length > longestText) return bytes.toString("utf8", start, start + length);
  const slot = slotOf(bytes, start, length);
  const known = texts[slot] ?? "";
  if (known.length === length && isText(known, bytes, start)) return known;
  const text = bytes.toString("utf8", start, start + length);
  texts[slot] = text;
  return text;
}

/** `length` bytes from `start` on, at most {@link longestKnown}. Shared, and not to be written. */
export function knownBytes(bytes: Buffer, start: number, length: number): Uint8Array {
  const slot = slotOf(bytes, start, length);
  const known = values[slot];
  if (known?.length === length && isSame(known, bytes, start)) return known;
  const value = new Uint8Array(length);
  for (let i = 0; i < length; i++) value[i] = bytes[start + i] ?? 0;
  values[slot] = value;
  return value;
}

/** FNV-1a. */
function slotOf(bytes: Buffer, start: number, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return (hash ^ (hash >>> 15)) & (slots - 1);
}

/** Only ASCII is as long in UTF-8 as in UTF-16, and the same. */
function isText(text: string, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== bytes[start + i] || code > 0x7f) return false;
  }
  return true;
}

function isSame(known: Uint8Array, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
