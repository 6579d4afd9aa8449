import { attribute } from "../../attributes.ts";
import { u32be } from "../../wire.ts";
import { exactly, required } from "../exact.ts";
import { type Register, register } from "../registers.ts";
import { compact, symbol } from "../symbols.ts";
import { expressionCodec } from "./codec.ts";

/** enum nft_payload_bases. */
export const payloadBases = { link: 0, network: 1, transport: 2, inner: 3, tunnel: 4 } as const;

/** The header that an offset counts from. */
export type PayloadBase = keyof typeof payloadBases;

/** Loads bytes of the packet. Offset and length in bytes. */
export interface PayloadLoad {
  readonly kind: "payload";
  readonly base: PayloadBase;
  readonly offset: number;
  readonly length: number;
  readonly into: Register;
}

/** Overwrites bytes of the packet. Offset and length in bytes. */
export interface PayloadSet {
  readonly kind: "payload-set";
  readonly base: PayloadBase;
  readonly offset: number;
  readonly length: number;
  readonly from: Register;
  /** The checksum that must follow: where it stands, in bytes from `base`. */
  readonly checksum?: { readonly type: "inet" | "sctp"; readonly offset: number };
  /** The bytes are part of the pseudo-header that the transport checksum covers. */
  readonly pseudoHeader?: true;
}

const checksumTypes = { none: 0, inet: 1, sctp: 2 } as const;
const NFT_PAYLOAD_L4CSUM_PSEUDOHDR = 1;

const layout = exactly({
  dreg: attribute(1, register),
  base: attribute(2, symbol(payloadBases)),
  offset: attribute(3, u32be),
  length: attribute(4, u32be),
  sreg: attribute(5, register),
  checksumType: attribute(6, symbol(checksumTypes)),
  checksumOffset: attribute(7, u32be),
  checksumFlags: attribute(8, u32be),
});

/** NFTA_PAYLOAD_*. */
export const payloadCodec = expressionCodec(
  "payload",
  layout,
  (e: PayloadLoad | PayloadSet) => {
    const place = { base: e.base, offset: e.offset, length: e.length };
    if (e.kind === "payload") return { ...place, dreg: e.into };
    return {
      ...place,
      sreg: e.from,
      checksumType: e.checksum?.type,
      checksumOffset: e.checksum?.offset,
      checksumFlags: e.pseudoHeader ? NFT_PAYLOAD_L4CSUM_PSEUDOHDR : undefined,
    };
  },
  (wire): PayloadLoad | PayloadSet => {
    const place = {
      base: required(wire.base, "NFTA_PAYLOAD_BASE"),
      offset: required(wire.offset, "NFTA_PAYLOAD_OFFSET"),
      length: required(wire.length, "NFTA_PAYLOAD_LEN"),
    };
    if (wire.sreg === undefined)
      return { kind: "payload", ...place, into: required(wire.dreg, "NFTA_PAYLOAD_DREG") };
    // The kernel dumps type 0 and offset 0 for a write without checksum.
    const { checksumType: type = "none", checksumOffset: offset = 0 } = wire;
    const checksum = type === "none" ? undefined : { type, offset };
    const pseudoHeader = wire.checksumFlags === NFT_PAYLOAD_L4CSUM_PSEUDOHDR ? (true as const) : undefined;
    return { kind: "payload-set", ...place, from: wire.sreg, ...compact({ checksum, pseudoHeader }) };
  },
);
