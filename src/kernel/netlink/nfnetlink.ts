import type { NetlinkMessage } from "./message.ts";
import { type Codec, type StructValue, struct, u8, u16be } from "./wire.ts";

/**
 * struct nfgenmsg of include/uapi/linux/netfilter/nfnetlink.h, with which every message of nfnetlink
 * begins. `resource` is the subsystem in a batch's ends, else the low bits of the generation.
 */
const header = struct({ family: u8, version: u8, resource: u16be });

/** Writes a message's body: struct nfgenmsg with an NFPROTO_* or AF_* number, then the attributes. */
export function withHeader<T>(family: number, resource: number, codec: Codec<T>, value: T) {
  return (writer: Parameters<Codec<T>["write"]>[0]) => {
    header.write(writer, { family, version: 0, resource });
    codec.write(writer, value);
  };
}

/** The struct, and the attributes that follow it. */
export function splitHeader(message: NetlinkMessage): {
  readonly header: StructValue<{ family: typeof u8; version: typeof u8; resource: typeof u16be }>;
  readonly attributes: Buffer;
} {
  return { header: header.read(message.payload), attributes: message.payload.subarray(header.size) };
}
