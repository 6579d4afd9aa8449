import type { Codec } from "../wire.ts";

/**
 * Bytes as lower-case hexadecimal text, `7f00000b`. Rules are plain data that is compared and printed;
 * text is both, a Buffer is neither.
 */
export type Hex = string;

/** Bytes in a message, hexadecimal text in the model. */
export const hex: Codec<Hex> = {
  write: (writer, value) => writer.bytes(Buffer.from(value, "hex")),
  read: (bytes) => bytes.toString("hex"),
};
