import { attribute } from "../../attributes.ts";
import { u8 } from "../../wire.ts";
import { exactly, required } from "../exact.ts";
import { symbol } from "../symbols.ts";
import { expressionCodec } from "./codec.ts";

/** Drops the packet and tells the sender: by ICMP(v6) with `code`, by the family's own (icmpx), or by a TCP reset. */
export interface Reject {
  readonly kind: "reject";
  readonly with: "icmp" | "tcp-reset" | "icmpx";
  /** An ICMP code of the family, or one of enum nft_reject_inet_code for icmpx; 0 for a reset. */
  readonly code: number;
}

/** NFTA_REJECT_*. */
export const rejectCodec = expressionCodec(
  "reject",
  exactly({
    type: attribute(1, symbol({ icmp: 0, "tcp-reset": 1, icmpx: 2 })),
    code: attribute(2, u8),
  }),
  (e: Reject) => ({ type: e.with, code: e.code }),
  (wire): Reject => ({
    kind: "reject",
    with: required(wire.type, "NFTA_REJECT_TYPE"),
    code: wire.code ?? 0, // the kernel dumps none for a reset
  }),
);
