const lengthBytes = 2;

/** A whole message, or that the stream announced one that is longer than is taken. */
export type Frame =
  | { readonly kind: "message"; readonly message: Uint8Array }
  | { readonly kind: "too-long"; readonly length: number };

/**
 * Cuts a byte stream into messages, each behind its length in two bytes (RFC 1035 §4.2.2), however
 * the stream was split. It is asked for one message at a time, so that its user may stop half-way
 * through what came. It holds the last chunk and at most one begun message of `maxBytes`.
 */
export class Framer {
  readonly #maxBytes: number;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** The begun message with its length, once a chunk ended inside it; else empty. */
  #begun: Uint8Array = new Uint8Array(0);
  #begunBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes what came next; call it when {@link Framer.next} has run dry. */
  push(chunk: Uint8Array): void {
    const rest = this.#chunk.subarray(this.#at);
    this.#chunk = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    this.#at = 0;
  }

  /** The next message; undefined until more has come. After "too-long" the stream is of no more use. */
  next(): Frame | undefined {
    return this.#begunBytes === 0 ? this.#fromChunk() : this.#fromBegun();
  }

  #fromChunk(): Frame | undefined {
    const left = this.#chunk.length - this.#at;
    if (left === 0) return undefined;
    if (left < lengthBytes) return this.#begin(lengthBytes);
    const length = this.#lengthAt(this.#chunk, this.#at);
    if (length > this.#maxBytes) return { kind: "too-long", length };
    if (left < lengthBytes + length) return this.#begin(lengthBytes + length);
    const start = this.#at + lengthBytes;
    this.#at = start + length;
    return { kind: "message", message: this.#chunk.subarray(start, this.#at) };
  }

  /** Keeps a copy of the rest of the chunk, so that the chunk itself can go. */
  #begin(wanted: number): undefined {
    this.#begun = new Uint8Array(wanted);
    this.#fill();
  }

  #fromBegun(): Frame | undefined {
    this.#fill();
    if (this.#begunBytes < this.#begun.length) return undefined;
    const length = this.#lengthAt(this.#begun, 0);
    if (length > this.#maxBytes) return { kind: "too-long", length };
    if (this.#begun.length < lengthBytes + length) {
      const longer = new Uint8Array(lengthBytes + length);
      longer.set(this.#begun);
      this.#begun = longer;
      return this.#fromBegun();
    }
    const message = this.#begun.subarray(lengthBytes);
    this.#begun = new Uint8Array(0);
    this.#begunBytes = 0;
    return { kind: "message", message };
  }

  #fill(): void {
    const wanted = this.#begun.length - this.#begunBytes;
    const part = this.#chunk.subarray(this.#at, this.#at + wanted);
    this.#begun.set(part, this.#begunBytes);
    this.#begunBytes += part.length;
    this.#at += part.length;
  }

  #lengthAt(bytes: Uint8Array, at: number): number {
    return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  }
}
