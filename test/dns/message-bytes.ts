/** A query's bytes, put together by hand so that each part can be wrong. */
export interface MessageParts {
  readonly id?: number;
  /** The second word of the header; RD alone when absent. */
  readonly flags?: number;
  /** Of the four sections; one question when absent. */
  readonly counts?: readonly [number, number, number, number];
  /** What is behind the header; a question for `web` when absent. */
  readonly body?: Uint8Array;
}

/** The message that these parts make. */
export function messageOf({ id = 4711, flags = 0x0100, counts, body }: MessageParts): Buffer {
  const header = Buffer.alloc(12);
  for (const [i, number] of [id, flags, ...(counts ?? [1, 0, 0, 0])].entries()) {
    header.writeUInt16BE(number, 2 * i);
  }
  return Buffer.concat([header, body ?? question(web)]);
}

/** Wire form of the name `web`. */
export const web = Buffer.from("\x03web\0");

/** A question; type A and class IN when absent. */
export function question(name: Uint8Array, type = 1, dnsClass = 1): Buffer {
  return Buffer.concat([name, Buffer.of(type >> 8, type & 0xff, dnsClass >> 8, dnsClass & 0xff)]);
}

/** An OPT record whose data is `options`, of a length that may be another one. */
export function optRecord(options: Uint8Array, length = options.length): Buffer {
  const fixed = Buffer.from([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, length >> 8, length & 0xff]);
  return Buffer.concat([fixed, options]);
}

/** A compression pointer (RFC 1035 §4.1.4). */
export function pointer(to: number): Buffer {
  return Buffer.of(0xc0 | (to >> 8), to & 0xff);
}
