import { attribute } from "../../attributes.ts";
import { u8, u32be } from "../../wire.ts";
import { exactly, required } from "../exact.ts";
import { type Register, register } from "../registers.ts";
import { compact, symbol } from "../symbols.ts";
import { expressionCodec, unless } from "./codec.ts";

/** enum nft_exthdr_op. */
const headers = { ipv6: 0, tcpopt: 1, ipv4: 2, sctp: 3, dccp: 4 } as const;

/** A part of an IPv6 extension header, a TCP or IPv4 option. Offset and length in bytes. */
interface Place {
  readonly of: keyof typeof headers;
  /** The number of the header or option; 2 is TCP's maximum segment size. */
  readonly type: number;
  readonly offset: number;
  readonly length: number;
}

/** Loads it, or (`present`) whether it is there. */
export interface ExtensionHeaderLoad extends Place {
  readonly kind: "exthdr";
  readonly present?: true;
  readonly into: Register;
}

/** Overwrites it. */
export interface ExtensionHeaderSet extends Place {
  readonly kind: "exthdr-set";
  readonly from: Register;
}

const NFT_EXTHDR_F_PRESENT = 1;

/** NFTA_EXTHDR_*. */
export const extensionHeaderCodec = expressionCodec(
  "exthdr",
  exactly({
    dreg: attribute(1, register),
    type: attribute(2, u8),
    offset: attribute(3, u32be),
    length: attribute(4, u32be),
    flags: attribute(5, u32be),
    of: attribute(6, symbol(headers)),
    sreg: attribute(7, register),
  }),
  (e: ExtensionHeaderLoad | ExtensionHeaderSet) => {
    const place = { type: e.type, offset: e.offset, length: e.length, of: e.of };
    if (e.kind === "exthdr-set") return { ...place, sreg: e.from };
    return { ...place, dreg: e.into, flags: e.present ? NFT_EXTHDR_F_PRESENT : undefined };
  },
  (wire): ExtensionHeaderLoad | ExtensionHeaderSet => {
    const place = {
      of: wire.of ?? "ipv6",
      type: required(wire.type, "NFTA_EXTHDR_TYPE"),
      offset: required(wire.offset, "NFTA_EXTHDR_OFFSET"),
      length: required(wire.length, "NFTA_EXTHDR_LEN"),
    };
    if (wire.sreg !== undefined) return { kind: "exthdr-set", ...place, from: wire.sreg };
    const present = unless(wire.flags, 0) === undefined ? undefined : (true as const);
    return {
      kind: "exthdr",
      ...place,
      ...compact({ present }),
      into: required(wire.dreg, "NFTA_EXTHDR_DREG"),
    };
  },
);
