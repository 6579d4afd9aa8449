const dot = 0x2e;
const backslash = 0x5c;
const largestLabel = 63;
const largestName = 255;

/**
 * What a name is looked up by: its bytes as latin1 text, ASCII letters in lower case (RFC 4343),
 * labels joined by dots, no final dot; "" is the root.
 */
export type NameKey = string;

/** A name read from a message, and the offset of the byte behind it. */
export interface NameAt {
  readonly key: NameKey;
  readonly end: number;
}

// One name at a time is read, synchronously; twice the longest name, for every byte may need an escape.
const scratch = Buffer.allocUnsafe(2 * largestName);

/**
 * Reads the uncompressed name at `start`; undefined when it is broken, too long, or has a pointer,
 * which the first name of a message has nothing to point at. A dot inside a label reads as `\.`.
 */
export function readName(message: Uint8Array, start: number): NameAt | undefined {
  let at = start;
  let length = 0;
  for (;;) {
    const size = message[at++];
    if (size === undefined || size > largestLabel) return undefined;
    if (size === 0) return { key: scratch.toString("latin1", 0, length), end: at };
    const end = at + size;
    if (end >= message.length || end - start >= largestName) return undefined;
    if (length > 0) scratch[length++] = dot;
    for (; at < end; at++) {
      const byte = message[at] ?? 0;
      if (byte === dot) scratch[length++] = backslash;
      scratch[length++] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    }
  }
}

/** The offset behind the name at `start`, which may end in a pointer; undefined when it is broken. */
export function skipName(message: Uint8Array, start: number): number | undefined {
  let at = start;
  for (;;) {
    const size = message[at];
    if (size === undefined) return undefined;
    if (size === 0) return at + 1;
    if (size >= 0xc0) return at + 2;
    if (size > largestLabel) return undefined;
    at += size + 1;
  }
}

/**
 * The wire form of a name (RFC 1035 §3.1, UTF-8, one final dot allowed); undefined when no message
 * can carry it: an empty label, one of more than 63 bytes, more than 255 bytes in all, or a
 * backslash, which has a meaning of its own in the text of names.
 */
export function encodeName(text: string): Buffer | undefined {
  const trimmed = text.endsWith(".") ? text.slice(0, -1) : text;
  if (trimmed.includes("\\")) return undefined;
  const labels = trimmed.split(".").map((label) => Buffer.from(label));
  const total = labels.reduce((sum, label) => sum + label.length + 1, 1);
  if (total > largestName) return undefined;
  if (labels.some((label) => label.length === 0 || label.length > largestLabel)) return undefined;
  return Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)]);
}

/** What the name `text` is looked up by; undefined when no message can carry it, as {@link encodeName}. */
export function nameKey(text: string): NameKey | undefined {
  const wire = encodeName(text);
  return wire === undefined ? undefined : readName(wire, 0)?.key;
}

/** True when a DNS message can carry `text` as a name, so that publishing it is of any use. */
export function isDnsName(text: string): boolean {
  return nameKey(text) !== undefined;
}
