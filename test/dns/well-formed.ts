const headerBytes = 12;

/**
 * Why `message` is no response that can be read to its last byte; undefined when it is one. Written apart
 * from the resolver's own reader: names end, point backward only, and have at most 255 bytes; counts and
 * lengths are true. The data of records is not looked into.
 */
export function faultIn(message: Buffer): string | undefined {
  if (message.length < headerBytes) return "no header";
  if ((message[2] ?? 0) < 0x80) return "no response";
  let at = headerBytes;
  for (let left = message.readUInt16BE(4); left > 0; left--) {
    const end = nameEnd(message, at);
    if (end === undefined || end + 4 > message.length) return `question at ${at}`;
    at = end + 4;
  }
  const records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  for (let left = records; left > 0; left--) {
    const fixed = nameEnd(message, at);
    if (fixed === undefined || fixed + 10 > message.length) return `record at ${at}`;
    at = fixed + 10 + message.readUInt16BE(fixed + 8);
    if (at > message.length) return `data that ends at ${at}`;
  }
  return at === message.length ? undefined : `${message.length - at} bytes too many`;
}

/** The offset behind the name at `start`; undefined when it cannot be read. */
function nameEnd(message: Buffer, start: number): number | undefined {
  let [at, length, least] = [start, 0, start];
  let end: number | undefined;
  for (;;) {
    const size = message[at];
    if (size === undefined) return undefined;
    if (size >= 0xc0) {
      const target = ((size & 0x3f) << 8) | (message[at + 1] ?? 0);
      end ??= at + 2;
      if (target >= least || target < headerBytes) return undefined;
      least = target;
      at = target;
      continue;
    }
    if (size > 63) return undefined;
    length += size + 1;
    if (length > 255) return undefined;
    at += size + 1;
    if (size === 0) return end ?? at;
  }
}
