import { lzwDecode, lzwEncode } from "./lzw.ts";
import { MalformedMessage } from "./malformed.ts";
import { messageType, wireLimits } from "./message-type.ts";
import { fields, type PackReader } from "./pack-reader.ts";
import { PackWriter } from "./pack-writer.ts";

const compressFields = fields("Algo", "Buf");
/** The only one there is: LZW. */
const lzw = 0;

/** `message` as a compressed one, with the type byte, behind `headroom` free bytes. It may have become longer. */
export function compress(message: Uint8Array, headroom = 0): Buffer {
  const packed = lzwEncode(message);
  const out = new PackWriter(32 + headroom + packed.length).append(Buffer.alloc(headroom));
  out.byte(messageType.compress).map(2);
  return out.text("Algo").uint(lzw).text("Buf").bytes(packed).written;
}

/** The packed bytes that `input` stands at the map of, which follows the type byte. */
export function readCompressed(input: PackReader): Uint8Array {
  const pairs = input.map();
  let packed: Uint8Array = new Uint8Array(0);
  for (let i = 0; i < pairs; i++) {
    const name = input.field(compressFields, i);
    if (name === "Buf") packed = input.raw(wireLimits.stream);
    else if (name === "Algo") {
      const algorithm = input.uint(0xff);
      if (algorithm !== lzw)
        throw new MalformedMessage(`gossip is compressed in the unknown way ${algorithm}`);
    } else input.skip();
  }
  return packed;
}

/** What {@link compress} was given: `input` stands behind the type byte. At most `maxBytes` come out, or it throws. */
export function decompress(input: PackReader, maxBytes: number): Buffer {
  return unpack(readCompressed(input), maxBytes);
}

/** {@link decompress} of what {@link readCompressed} found. Bytes that end too early stay so: more will not come. */
export function unpack(packed: Uint8Array, maxBytes: number): Buffer {
  try {
    return lzwDecode(packed, maxBytes);
  } catch (error) {
    if (error instanceof MalformedMessage && error.truncated)
      throw new MalformedMessage("compressed gossip has no end");
    throw error;
  }
}
