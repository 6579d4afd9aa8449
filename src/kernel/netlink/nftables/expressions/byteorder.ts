import { attribute } from "../../attributes.ts";
import { u32be } from "../../wire.ts";
import { exactly, required } from "../exact.ts";
import { type Register, register } from "../registers.ts";
import { symbol } from "../symbols.ts";
import { expressionCodec } from "./codec.ts";

/** Turns integers of `size` bytes, `length` bytes of them, from one byte order into the other. */
export interface ByteOrder {
  readonly kind: "byteorder";
  readonly to: "host" | "network";
  readonly from: Register;
  readonly into: Register;
  readonly length: number;
  readonly size: number;
}

/** enum nft_byteorder_ops. */
const operations = { host: 0, network: 1 } as const;

/** NFTA_BYTEORDER_*. */
export const byteOrderCodec = expressionCodec(
  "byteorder",
  exactly({
    sreg: attribute(1, register),
    dreg: attribute(2, register),
    op: attribute(3, symbol(operations)),
    length: attribute(4, u32be),
    size: attribute(5, u32be),
  }),
  (e: ByteOrder) => ({ sreg: e.from, dreg: e.into, op: e.to, length: e.length, size: e.size }),
  (wire): ByteOrder => ({
    kind: "byteorder",
    to: required(wire.op, "NFTA_BYTEORDER_OP"),
    from: required(wire.sreg, "NFTA_BYTEORDER_SREG"),
    into: required(wire.dreg, "NFTA_BYTEORDER_DREG"),
    length: required(wire.length, "NFTA_BYTEORDER_LEN"),
    size: required(wire.size, "NFTA_BYTEORDER_SIZE"),
  }),
);
